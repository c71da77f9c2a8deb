/** Connect and gRPC-Web: the browser's clients, and Node.js's where requests are streamed, which browsers cannot. */
import {
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromJson,
  type JsonValue,
  type Message,
  toJson,
} from "@bufbuild/protobuf";
import { ConnectError, type Transport } from "@connectrpc/connect";
import * as node from "@connectrpc/connect-node";
import * as web from "@connectrpc/connect-web";
import {
  type AddressOf,
  contractOf,
  detailJson,
  type Kind,
  OK,
  outcome,
  type Protocol,
  streamsRequests,
} from "./protocol.ts";

/** Over HTTP/1.1, what streams both ways is not served. */
const KINDS: ReadonlySet<Kind> = new Set(["unary", "server_streaming", "client_streaming"]);

export function connect(addressOf: AddressOf): Protocol {
  return protocol("connect", addressOf, {
    browser: (baseUrl) => web.createConnectTransport({ baseUrl }),
    node: (baseUrl) => node.createConnectTransport({ baseUrl, httpVersion: "1.1" }),
    timeout: (timeoutMs) => ({ "connect-timeout-ms": `${timeoutMs}` }),
  });
}

export function grpcWeb(addressOf: AddressOf): Protocol {
  return protocol("grpc_web", addressOf, {
    browser: (baseUrl) => web.createGrpcWebTransport({ baseUrl }),
    node: (baseUrl) => node.createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
    timeout: (timeoutMs) => ({ "grpc-timeout": `${timeoutMs}m` }),
  });
}

interface Dialect {
  readonly browser: (baseUrl: string) => Transport;
  readonly node: (baseUrl: string) => Transport;
  /** A header, for with a deadline of its own the client would end the call before the worker does. */
  readonly timeout: (timeoutMs: number) => Record<string, string>;
}

function protocol(name: string, addressOf: AddressOf, { browser, node, timeout }: Dialect): Protocol {
  return {
    name,
    kinds: KINDS,
    async call({ method, requests, headers = {}, timeoutMs }) {
      const contract = contractOf(method);
      const transport = (streamsRequests(contract) ? node : browser)(`http://${addressOf(method)}`);
      const all = { ...headers, ...(timeoutMs !== undefined && timeout(timeoutMs)) };
      const replies: JsonValue[] = [];
      try {
        const messages = requests.map((request) => fromJson(contract.input, request));
        const { header, trailer } = await answered(transport, contract, all, messages, (message) => {
          replies.push(toJson(contract.output, message, { alwaysEmitImplicit: true }));
        });
        return outcome(replies, OK, { ...textsIn(header), ...textsIn(trailer) });
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        // What was received is bytes; what is sent would be a message.
        const details = error.details.map((detail) =>
          "type" in detail ? detailJson(detail.type, detail.value) : null,
        );
        const status = { code: error.code, message: error.rawMessage, details };
        return outcome(replies, status, textsIn(error.metadata));
      }
    },
    [Symbol.dispose]() {},
  };
}

/** Makes a call of any kind; `onReply` gets each reply as it comes. */
async function answered(
  transport: Transport,
  method: DescMethod,
  headers: Record<string, string>,
  requests: readonly Message[],
  onReply: (message: Message) => void,
) {
  if (isUnary(method)) {
    const [first] = requests;
    if (!first) throw new TypeError(`${method.name} takes one request.`);
    const answer = await transport.unary(method, undefined, undefined, headers, first);
    onReply(answer.message);
    return answer;
  }
  // There is no other kind.
  const answer = await transport.stream(
    method as DescMethodStreaming,
    undefined,
    undefined,
    headers,
    each(requests),
  );
  for await (const message of answer.message) onReply(message);
  return answer;
}

const isUnary = (method: DescMethod): method is DescMethodUnary => method.methodKind === "unary";

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function textsIn(headers: Headers): Record<string, string> {
  return Object.fromEntries(headers);
}
