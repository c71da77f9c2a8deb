import { WORKERS } from "./list.ts";
import type { Plan } from "./plan.ts";
import { reachable } from "./worker-process.ts";

const CALL = "npx buf curl --protocol grpc --http2-prior-knowledge";

/** What `npm start` prints once every worker serves: where they are, and what to try. */
export function announcement(plans: readonly Plan[]): string {
  const places = plans.map(({ worker, host, port, adminPort }) => {
    const address = reachable(host).includes(":") ? `[${reachable(host)}]` : reachable(host);
    return { ...worker, grpc: `${address}:${port}`, admin: `http://${address}:${adminPort}` };
  });
  const nameWidth = Math.max(...places.map(({ name }) => name.length));
  const grpcWidth = Math.max(...places.map(({ grpc }) => grpc.length));
  const lines = places.map(
    ({ name, protocol, grpc, admin }) =>
      `${name.padEnd(nameWidth)}  ${protocol} ${grpc.padEnd(grpcWidth)}   metrics ${admin}/metrics`,
  );
  const addressOf = (name: string) => `http://${places.find((place) => place.name === name)?.grpc}`;
  return `
${lines.join("\n")}

Try, in another terminal:
  ${CALL} -d '{"name":"七米"}' ${addressOf("greeter")}/greeter.v1.Greeter/SayHello
  ${CALL} -d '{"name":"七米"}' ${addressOf("greeter")}/greeter.v1.Greeter/LotsOfReplies
  ${CALL} -d '{"vals":[1,2,3]}' ${addressOf("math")}/math.v1.Math/Sum
Greet one name more than 60 times within a minute, and its quota answers RESOURCE_EXHAUSTED.

ready`;
}

const settings = WORKERS.flatMap(({ name, port, adminPort }) => [
  `  ${`${name.toUpperCase()}_PORT`.padEnd(20)} default ${port}`,
  `  ${`${name.toUpperCase()}_ADMIN_PORT`.padEnd(20)} default ${adminPort}`,
]);

/** What `npm start -- --help` prints. */
export const HELP = `npm start runs ${WORKERS.map(({ name }) => name).join(" and ")} from their sources; Ctrl-C drains them.

Settings are environment variables. One that begins with a worker's name is for that worker alone:
${settings.join("\n")}
and likewise GREETER_LOG_LEVEL, MATH_POLICY_FILE … All others, such as HOST or LOG_LEVEL, are for every worker.`;
