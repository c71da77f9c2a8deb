import { Cluster, Redis, type RedisOptions } from "ioredis";
import type { RedisAddress } from "./redis-address.ts";
import type { RedisScript } from "./redis-scripts.ts";

/** A connection to a Redis, or to the nodes of a cluster, that opens itself again whenever it breaks. */
export interface RedisClient {
  /** Runs a script where its keys are. Rejects at once where there is no connection. */
  run(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /** Rejects where the server that has this key does not answer. */
  reach(key: string): Promise<unknown>;
  /** Settles when the first attempt to connect has come to an end, good or bad. */
  readonly tried: Promise<void>;
  close(): void;
}

export interface RedisClientOptions {
  readonly address: RedisAddress;
  /** The certificates that are trusted, as PEM; undefined: the system's. */
  readonly authorities: string | undefined;
  /** How long an answer is waited for. Default 20. */
  readonly timeoutMs?: number;
  /** Called whenever the connection is there … */
  readonly onReady: () => void;
  /** … and whenever it is lost or cannot be had, with the reason: a sentence that holds no secret. */
  readonly onLost: (reason: string) => void;
}

const CONNECT_TIMEOUT_MS = 1_000;
/** A server that is asked and stays silent for so long is given up, and connected to anew. So would one be whose
 * answer waits until a busy worker reads it: who waits longer for answers waits longer here. */
const SILENT_MS = 2_000;
const LONGEST_RETRY_MS = 2_000;
const CLOSED = "the connection was closed";

/** What a node of a cluster says to those who take it for a server. */
const OF_A_CLUSTER = ["MOVED", "ASK", "CROSSSLOT", "CLUSTERDOWN"];
const IS_A_CLUSTER = "It is a cluster: QUOTA_STORE needs several of its hosts, or ?cluster=true.";

/**
 * What ioredis does beyond sending commands is turned off, for whoever asks cannot wait: nothing is
 * queued while there is no connection, and nothing is sent a second time, which would charge twice. Its
 * auto-pipelining is off too: it holds commands back while others are under way, so that a decision could
 * take two round trips, and in a cluster it loses its way when slots move
 * (https://github.com/redis/ioredis/issues/2075). Commands are sent as they come, without waiting for the
 * answers to those before, so any number of decisions takes one round trip all the same.
 */
export function connectRedis({
  address,
  authorities,
  timeoutMs = 20,
  onReady,
  onLost,
}: RedisClientOptions): RedisClient {
  const common = commonOptions(address, authorities, Math.max(SILENT_MS, 2 * timeoutMs));
  const client = address.cluster ? connectCluster(address, common) : connectServer(address, common);

  let reason = CLOSED;
  let closing = false;
  client.on("error", (error: Error) => {
    reason = sentenceOf(error);
  });
  client.on("ready", () => {
    reason = CLOSED;
    onReady();
  });
  client.on("close", () => {
    if (!closing) onLost(reason);
  });
  if (client instanceof Cluster) {
    client.on("node error", (error: Error) => {
      reason = sentenceOf(error);
    });
    // Of itself it connects to a node when a command first needs one, which then takes several round trips.
    client.on("+node", (node: Redis) => {
      if (!node.options.readOnly) node.connect().catch(() => {});
    });
  }
  const tried = new Promise<void>((resolve) => {
    client.once("ready", resolve);
    client.once("close", resolve);
    client.once("end", resolve);
  });

  return {
    tried,
    async run({ lua, sha1 }, keys, args) {
      if (client.status !== "ready") throw new Error(reason);
      try {
        return await client.evalsha(sha1, keys.length, ...keys, ...args);
      } catch (error) {
        const [word = ""] = error instanceof Error ? error.message.split(" ") : [];
        // It did not run: the server was started, or took over, since the script was last sent in full.
        if (word === "NOSCRIPT") return client.eval(lua, keys.length, ...keys, ...args);
        if (!address.cluster && OF_A_CLUSTER.includes(word)) throw new Error(IS_A_CLUSTER, { cause: error });
        throw error;
      }
    },
    async reach(key) {
      if (client.status !== "ready") throw new Error(reason);
      return client.exists(key);
    },
    close() {
      closing = true;
      client.disconnect();
    },
  };
}

type CommonOptions = ReturnType<typeof commonOptions>;

function commonOptions(address: RedisAddress, authorities: string | undefined, silentMs: number) {
  const { username, password } = address.credentials();
  return {
    enableReadyCheck: false,
    enableAutoPipelining: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: silentMs,
    db: address.database,
    // A server that has become a replica takes no charges: another one does.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(address.tls && { tls: authorities === undefined ? {} : { ca: authorities } }),
  } satisfies RedisOptions;
}

function connectServer({ nodes: [node] }: RedisAddress, common: CommonOptions): Redis {
  return new Redis({
    ...common,
    ...node,
    enableOfflineQueue: false,
    retryStrategy: retryDelayMs,
  });
}

function connectCluster({ nodes }: RedisAddress, redisOptions: CommonOptions): Cluster {
  return new Cluster([...nodes], {
    redisOptions,
    // Without it, commands fail while the node that they are for is being connected to.
    enableOfflineQueue: true,
    enableReadyCheck: false,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    clusterRetryStrategy: retryDelayMs,
    // Names stay names, for they are what a node's certificate is made out to.
    dnsLookup: (host, callback) => callback(null, host),
  });
}

/** 50 ms, twice as long each time, and never all replicas at the same moment. */
function retryDelayMs(attempt: number): number {
  return Math.min(25 * 2 ** Math.min(attempt, 10), LONGEST_RETRY_MS) * (0.75 + Math.random() / 2);
}

/** ioredis puts the command that failed on its errors, with the password in it: nothing but the text is told. */
function sentenceOf(error: Error): string {
  const cause = "lastNodeError" in error && error.lastNodeError;
  return cause instanceof Error ? `${error.message} ${cause.message}` : error.message;
}
