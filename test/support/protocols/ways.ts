import { connect, grpcWeb } from "./connect.ts";
import { graphql } from "./graphql.ts";
import { grpc } from "./grpc.ts";
import type { AddressOf, Asked, Outcome, Protocol } from "./protocol.ts";
import { rest } from "./rest.ts";
import { socketIo } from "./socket-io.ts";

/** A protocol, and whom it is spoken to. */
export interface Way extends Protocol {
  readonly title: string;
  readonly byGateway: boolean;
}

export interface Addresses {
  readonly greeter: string;
  readonly math: string;
  readonly gateway: string;
}

/** Every way by which a call can come to a worker: each protocol, to the worker itself and to the gateway before it. */
export function everyWay({ greeter, math, gateway }: Addresses): Way[] {
  const worker: AddressOf = (method) => (method.startsWith("math.") ? math : greeter);
  const spoken = (addressOf: AddressOf): Readonly<Record<string, Protocol>> => ({
    gRPC: grpc(addressOf),
    REST: rest(addressOf, "lines"),
    "REST with events": rest(addressOf, "events"),
    Connect: connect(addressOf),
    "gRPC-Web": grpcWeb(addressOf),
  });
  const front: AddressOf = () => gateway;
  const behind = { ...spoken(front), GraphQL: graphql(front), "Socket.IO": socketIo(front) };
  return [
    ...Object.entries(spoken(worker)).map(([title, protocol]) => patient(title, protocol, false)),
    ...Object.entries(behind).map(([title, protocol]) => patient(`${title}, by the gateway`, protocol, true)),
  ];
}

/** Asks for as much time as the methods' policies let it have: on a busy machine, first calls may take theirs. */
function patient(title: string, protocol: Protocol, byGateway: boolean): Way {
  const call = (asked: Asked) => protocol.call({ timeoutMs: PATIENCE_MS, ...asked });
  return { ...protocol, call, title, byGateway };
}

const PATIENCE_MS = 10_000;

/** Makes a call by each way, and gives what came of it, by the way's title. */
export async function byEach(
  ways: readonly Way[],
  asked: Asked | ((way: Way) => Asked),
): Promise<Record<string, Outcome>> {
  const outcomes = ways.map(async (way) => {
    const outcome = await way.call(typeof asked === "function" ? asked(way) : asked);
    return [way.title, outcome] as const;
  });
  return Object.fromEntries(await Promise.all(outcomes));
}
