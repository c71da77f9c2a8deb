import { once } from "node:events";
import { connect } from "node:net";
import { METHODS } from "../../../../loadtest/lib/methods.ts";
import type { Settings } from "../../../../loadtest/lib/settings.ts";

const CONNECT_TIMEOUT_MS = 2_000;

/** The places that a run would call and where nobody listens, each with the setting that names it. */
export async function missingPlaces(settings: Settings): Promise<string[]> {
  const places = placesOf(settings);
  const there = await Promise.all(places.map(({ address }) => listens(address)));
  return places.filter((_, index) => !there[index]).map(({ address, setting }) => `${address} (${setting})`);
}

function placesOf({ target, addresses, restUrl, services }: Settings) {
  if (target === "rest") {
    const { hostname, port, protocol } = new URL(restUrl);
    return [{ address: `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`, setting: "REST_URL" }];
  }
  const called = METHODS.filter(({ service }) => services.length === 0 || services.includes(service));
  const workers = [...new Set(called.map(({ worker }) => worker))];
  const places = workers.flatMap((worker) =>
    (addresses[worker] ?? []).map((address) => ({
      address,
      setting: target === "envoy" ? "ENVOY_ADDRESS" : `${worker.toUpperCase()}_ADDRESS`,
    })),
  );
  return places.filter(
    ({ address }, index) => places.findIndex((each) => each.address === address) === index,
  );
}

async function listens(address: string): Promise<boolean> {
  const [, host = address, port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  const socket = connect({ host, port: Number(port), timeout: CONNECT_TIMEOUT_MS });
  socket.once("timeout", () => socket.destroy(new Error("It does not answer.")));
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
