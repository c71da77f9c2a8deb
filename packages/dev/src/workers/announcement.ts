import { addressOf } from "./address.ts";
import { WORKERS } from "./list.ts";
import type { Plan } from "./plan.ts";

const CALL = "npx buf curl --protocol grpc --http2-prior-knowledge";

/** What `npm start` prints once every worker serves: where they are, and what to try. */
export function announcement(plans: readonly Plan[], consoleUrl: string | undefined): string {
  const places = plans.map(({ worker, host, port, adminPort }) => ({
    ...worker,
    address: addressOf(host, port),
    admin: `http://${addressOf(host, adminPort)}`,
  }));
  const nameWidth = Math.max(...places.map(({ name }) => name.length));
  const addressWidth = Math.max(...places.map(({ address }) => address.length));
  const lines = places.map(
    ({ name, protocol, address, admin }) =>
      `${name.padEnd(nameWidth)}  ${protocol} ${address.padEnd(addressWidth)}   metrics ${admin}/metrics`,
  );
  const urlOf = (name: string) => `http://${places.find((place) => place.name === name)?.address}`;
  return `
${lines.join("\n")}

Try, in another terminal:
  ${CALL} -d '{"name":"七米"}' ${urlOf("greeter")}/greeter.v1.Greeter/SayHello
  ${CALL} -d '{"name":"七米"}' ${urlOf("greeter")}/greeter.v1.Greeter/LotsOfReplies
  ${CALL} -d '{"vals":[1,2,3]}' ${urlOf("math")}/math.v1.Math/Sum
  curl -G ${urlOf("gateway")}/rpc --data-urlencode name=七米
GraphQL is at ${urlOf("gateway")}/graphql, for a browser too.${consoleUrl === undefined ? "" : `\nTry, watch and trace calls in the console: ${consoleUrl}`}
Greet one name more than 60 times within a minute, and its quota answers RESOURCE_EXHAUSTED.

ready`;
}

const settings = WORKERS.flatMap(({ name, port, adminPort }) => [
  `  ${`${name.toUpperCase()}_PORT`.padEnd(20)} default ${port}`,
  `  ${`${name.toUpperCase()}_ADMIN_PORT`.padEnd(20)} default ${adminPort}`,
]);

/** What `npm start -- --help` prints. */
export const HELP = `npm start runs ${new Intl.ListFormat("en").format(WORKERS.map(({ name }) => name))} from their sources; Ctrl-C drains them.

Settings are environment variables. One that begins with a worker's name is for that worker alone:
${settings.join("\n")}
and likewise GREETER_LOG_LEVEL, MATH_POLICY_FILE … All others, such as HOST or LOG_LEVEL, are for every worker.`;
