import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type Channel, createClient } from "@gantry/client";
import type { WorkerEntry } from "@gantry/console";
import { type Client, Metadata, methodName, RpcError } from "@gantry/rpc";
import { createJsonCodec, type JsonCodec } from "../json/json-codec.ts";
import { reflect } from "./reflect.ts";

/** What the workers serve, by what they said when they were last asked. */
export class Directory {
  /** Every method by its worker and name: `greeter:greeter.v1.Greeter/SayHello`. */
  readonly methods = new Map<string, DescMethod>();
  readonly #channels: ReadonlyMap<string, Channel>;
  /** Each worker has descriptors of its own, so that a service tells its worker. */
  readonly #channelOf = new WeakMap<DescService, Channel>();
  #codec: JsonCodec = createJsonCodec([]);

  constructor(channels: ReadonlyMap<string, Channel>) {
    this.#channels = channels;
  }

  /** Asks every worker anew. One that does not answer keeps the methods that it had. */
  async refresh(headers: Metadata): Promise<WorkerEntry[]> {
    const asked = await Promise.all(
      [...this.#channels].map(([name, channel]) => this.#ask(name, channel, headers)),
    );
    for (const { entry, services } of asked) {
      if (services.length > 0) this.#forget(entry.name);
      for (const method of services.flatMap((service) => service.methods)) {
        this.methods.set(`${entry.name}:${methodName(method)}`, method);
      }
    }
    this.#codec = createJsonCodec([...new Set([...this.methods.values()].map(({ parent }) => parent))]);
    return asked.map(({ entry }) => entry);
  }

  /** Of the messages of every worker, as they are by now. */
  readonly codec: JsonCodec = {
    read: (schema, json) => this.#codec.read(schema, json),
    write: (schema, message) => this.#codec.write(schema, message),
    status: (error) => this.#codec.status(error),
  };

  /** A client of a service that `methods` has. @throws TypeError for another one */
  clientOf<S extends DescService>(service: S): Client<S> {
    const channel = this.#channelOf.get(service);
    if (!channel) throw new TypeError(`${service.typeName} is of no worker that was asked.`);
    return createClient(service, channel);
  }

  #forget(worker: string): void {
    for (const name of this.methods.keys()) if (name.startsWith(`${worker}:`)) this.methods.delete(name);
  }

  async #ask(name: string, channel: Channel, headers: Metadata) {
    const { target } = channel;
    try {
      const { services: names, registry, files } = await reflect(channel, new Metadata(headers));
      const services = names.flatMap((each) => registry.getService(each) ?? []);
      for (const service of services) this.#channelOf.set(service, channel);
      const entry: WorkerEntry = { name, target, services: services.map(({ typeName }) => typeName), files };
      return { entry, services };
    } catch (error) {
      const problem = error instanceof RpcError ? error.message : String(error);
      const entry: WorkerEntry = { name, target, services: [], files: new Uint8Array(), problem };
      return { entry, services: [] };
    }
  }
}
