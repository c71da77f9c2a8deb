import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  type CallOptions,
  Code as ConnectCode,
  ConnectError,
  createClient,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { QuotaFailureSchema, RetryInfoSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { Code, Metadata, RpcError } from "@gantry/rpc";
import { all } from "./support/in-process.ts";
import { webWorker } from "./support/web-worker.ts";

/** Clients that we did not write, of each protocol in each format. */
const TRANSPORTS: Readonly<Record<string, (baseUrl: string, interceptors?: Interceptor[]) => Transport>> = {
  "Connect, binary": (baseUrl, interceptors = []) =>
    createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: true, interceptors }),
  "Connect, JSON": (baseUrl, interceptors = []) =>
    createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false, interceptors }),
  "Connect, GET": (baseUrl, interceptors = []) =>
    createConnectTransport({ baseUrl, httpVersion: "1.1", useHttpGet: true, interceptors }),
  "gRPC-Web, binary": (baseUrl, interceptors = []) =>
    createGrpcWebTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: true, interceptors }),
  "gRPC-Web, JSON": (baseUrl, interceptors = []) =>
    createGrpcWebTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false, interceptors }),
};

async function failure(work: Promise<unknown>): Promise<ConnectError> {
  try {
    await work;
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error("It was expected to fail.");
}

for (const [name, transportTo] of Object.entries(TRANSPORTS)) {
  const protocol = name.startsWith("Connect") ? "connect" : "grpc_web";

  describe(name, () => {
    test("calls with one message each way", async () => {
      await using worker = await webWorker();
      const math = createClient(MathService, transportTo(worker.url));
      assert.equal((await math.sum({ vals: [1, 2, 3] })).val, 6);
      const { quotient, remainder } = await math.divide({ dividend: -(2n ** 62n), divisor: 3n });
      assert.deepEqual([quotient, remainder], [-1537228672809129301n, -1n]);
      assert.deepEqual(
        (await worker.metric("gantry_calls_total")).map((line) => line.replace(/.*protocol=/, "")),
        [`"${protocol}"} 1`, `"${protocol}"} 1`],
      );
    });

    test("calls that stream their responses", async () => {
      await using worker = await webWorker();
      const greeter = createClient(Greeter, transportTo(worker.url));
      const replies = await all(greeter.lotsOfReplies({ name: "七米" }));
      assert.deepEqual(
        replies.map(({ reply }) => reply),
        ["hi 七米", "ho 七米"],
      );
    });

    test("calls that stream their requests", async () => {
      await using worker = await webWorker();
      const greeter = createClient(Greeter, transportTo(worker.url));
      async function* names() {
        yield { name: "a" };
        yield { name: "b" };
      }
      assert.equal((await greeter.lotsOfGreetings(names())).reply, "ab");
    });

    test("errors keep their code, message, details, headers and trailers", async () => {
      const refused = new RpcError(
        Code.ResourceExhausted,
        "超出 quota",
        [
          { schema: QuotaFailureSchema, value: QUOTA_FAILURE },
          { schema: RetryInfoSchema, value: RETRY_INFO },
        ],
        { metadata: new Metadata([["x-error", "1"]]) },
      );
      await using worker = await webWorker({
        greeter: {
          sayHello(_, { headers, trailers }) {
            headers.set("x-header", "2");
            trailers.set("x-trailer", "3").set("key-bin", new Uint8Array([4]));
            throw refused;
          },
          async *lotsOfReplies() {
            yield { reply: "one" };
            throw refused;
          },
        },
      });
      const greeter = createClient(Greeter, transportTo(worker.url));
      const error = await failure(greeter.sayHello({ name: "you" }));
      assert.equal(error.code, ConnectCode.ResourceExhausted);
      assert.equal(error.rawMessage, "超出 quota");
      assert.deepEqual(error.findDetails(QuotaFailureSchema)[0]?.violations[0]?.subject, "name:you");
      assert.equal(error.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds, 7n);
      const { metadata } = error;
      // Connect writes trailers of unary calls as headers of another name, and its client takes that off again
      // from answers that are well, not from errors.
      const trailer = (key: string) => metadata.get(key) ?? metadata.get(`trailer-${key}`);
      assert.equal(trailer("x-error"), "1");
      assert.equal(trailer("x-trailer"), "3");
      assert.equal(trailer("key-bin")?.replace(/=+$/, ""), "BA");

      const seen: string[] = [];
      const late = await failure(
        (async () => {
          for await (const { reply } of greeter.lotsOfReplies({ name: "you" })) seen.push(reply);
        })(),
      );
      assert.deepEqual(seen, ["one"]);
      assert.equal(late.code, ConnectCode.ResourceExhausted);
      assert.equal(late.findDetails(RetryInfoSchema).length, 1);
    });

    test("metadata goes both ways", async () => {
      const seen = Promise.withResolvers<Metadata>();
      await using worker = await webWorker({
        greeter: {
          sayHello(_, { metadata, headers, trailers }) {
            seen.resolve(metadata);
            headers.append("x-list", "a").append("x-list", "b");
            trailers.set("timestamp", "42");
            return {};
          },
        },
      });
      const said: { headers?: Headers; trailers?: Headers } = {};
      const options: CallOptions = {
        headers: { authorization: "Bearer secret", "key-bin": "AQI" },
        onHeader: (headers) => {
          said.headers = headers;
        },
        onTrailer: (trailers) => {
          said.trailers = trailers;
        },
      };
      await createClient(Greeter, transportTo(worker.url)).sayHello({ name: "you" }, options);
      assert.equal(said.headers?.get("x-list"), "a, b");
      assert.equal(said.trailers?.get("timestamp"), "42");
      const metadata = await seen.promise;
      assert.equal(metadata.get("authorization"), "Bearer secret");
      assert.deepEqual(metadata.getBinary("key-bin"), Buffer.from([1, 2]));
      for (const key of ["content-type", "accept-encoding", "connect-protocol-version", "x-grpc-web", "te"]) {
        assert.equal(metadata.has(key), false, key);
      }
    });

    test("a deadline ends the call, here and there", async () => {
      const reason = Promise.withResolvers<unknown>();
      await using worker = await webWorker({
        greeter: {
          async sayHello(_, { signal, deadline }) {
            assert.ok(deadline !== undefined && deadline - Date.now() < 400);
            await once(signal, "abort");
            reason.resolve(signal.reason);
            throw signal.reason;
          },
        },
      });
      // The client's own timer would end it without asking: it is told no timeout, and the header is set.
      const setTimeoutHeader: Interceptor = (next) => (request) => {
        request.header.set("connect-timeout-ms", "200");
        request.header.set("grpc-timeout", "200m");
        return next(request);
      };
      const greeter = createClient(Greeter, transportTo(worker.url, [setTimeoutHeader]));
      const error = await failure(greeter.sayHello({ name: "you" }));
      assert.equal(error.code, ConnectCode.DeadlineExceeded);
      assert.match(String(await reason.promise), /DEADLINE_EXCEEDED/);
    });

    test("a client that goes away cancels its call, and leaves its stream", async () => {
      const begun = Promise.withResolvers<void>();
      const left = Promise.withResolvers<unknown>();
      const cleanedUp = Promise.withResolvers<void>();
      await using worker = await webWorker({
        greeter: {
          async sayHello(_, { signal }) {
            begun.resolve();
            await once(signal, "abort");
            left.resolve(signal.reason);
            throw signal.reason;
          },
          async *lotsOfReplies() {
            try {
              for (;;) yield { reply: "more" };
            } finally {
              cleanedUp.resolve();
            }
          },
        },
      });
      const greeter = createClient(Greeter, transportTo(worker.url));
      const controller = new AbortController();
      const call = failure(greeter.sayHello({ name: "you" }, { signal: controller.signal }));
      await begun.promise;
      controller.abort();
      assert.equal((await call).code, ConnectCode.Canceled);
      assert.match(String(await left.promise), /CANCELLED/);

      for await (const _ of greeter.lotsOfReplies({ name: "you" })) break;
      await cleanedUp.promise;
      await worker.assertServes();
      assert.deepEqual(await worker.metric("gantry_calls_in_flight"), []);
    });

    test("validation and quotas hold as for any call", async () => {
      await using worker = await webWorker();
      const greeter = createClient(Greeter, transportTo(worker.url));
      assert.equal((await failure(greeter.sayHello({ name: "" }))).code, ConnectCode.InvalidArgument);
      // 60 fit, and one more for each second that this takes.
      const greet = () => greeter.sayHello({ name: "often" }).then(() => undefined, ConnectError.from);
      const errors = (await Promise.all(Array.from({ length: 150 }, greet))).flatMap((error) => error ?? []);
      const [error] = errors;
      assert.ok(error && errors.length <= 90, `${errors.length} are refused`);
      assert.equal(error.code, ConnectCode.ResourceExhausted);
      assert.equal(error.findDetails(QuotaFailureSchema).length, 1);
    });

    test("health is there too", async () => {
      const { Health } = await import("@gantry/proto/grpc/health/v1/health_pb.js");
      await using worker = await webWorker();
      const health = createClient(Health, transportTo(worker.url));
      assert.equal((await health.check({ service: "math.v1.Math" })).status, 1);
    });
  });
}

const QUOTA_FAILURE = create(QuotaFailureSchema, { violations: [{ subject: "name:you" }] });
const RETRY_INFO = create(RetryInfoSchema, { retryDelay: { seconds: 7n } });
