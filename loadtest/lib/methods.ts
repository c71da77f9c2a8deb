/**
 * Every method, with a call of it that is answered, and one that is refused. Nothing of k6 is in here, so that a test
 * can hold it to the contracts.
 */

/** A message as protobuf JSON. */
export type Message = Readonly<Record<string, unknown>>;

export type Kind = "unary" | "server_streaming" | "client_streaming" | "bidi_streaming";

/** A call and how it is to end. */
export interface Example {
  readonly requests: readonly Message[];
  /** Undefined: any will do, and only that there is one is checked. */
  readonly replies?: readonly Message[];
  /** gRPC's number of the status. */
  readonly code: number;
  /** The fields that a BadRequest has to name. */
  readonly fields?: readonly string[];
  /** The headers or trailers that have to come with a reply. */
  readonly metadata?: readonly string[];
}

export interface Method {
  /** `greeter.v1.Greeter` */
  readonly service: string;
  /** `SayHello` */
  readonly name: string;
  readonly kind: Kind;
  /** The worker that serves it. */
  readonly worker: "greeter" | "math";
  /** Only workers themselves serve it: neither Envoy nor the gateway lets it through. */
  readonly internal?: true;
  /** How many of a mix's calls are of this method, in proportion. Default: 0. */
  readonly weight?: number;
  /** The HTTP verb and path; what the path does not have goes as the body. */
  readonly rest?: { readonly verb: "GET" | "POST"; readonly path: (request: Message) => string };
  /** @param id told apart from all others, for what has quotas by name */
  readonly answered: (id: string) => Example;
  readonly refused?: Example;
}

const OK = 0;
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;
const OUT_OF_RANGE = 11;

const GREETER = { service: "greeter.v1.Greeter", worker: "greeter" } as const;
const MATH = { service: "math.v1.Math", worker: "math" } as const;
const ADMIN = { service: "gantry.v1.Admin", worker: "greeter", internal: true } as const;

const nameless = { requests: [{ name: "" }], code: INVALID_ARGUMENT, fields: ["name"] };
const segment = (value: unknown) => encodeURIComponent(String(value));

export const METHODS: readonly Method[] = [
  {
    ...GREETER,
    name: "SayHello",
    kind: "unary",
    weight: 8,
    rest: { verb: "GET", path: ({ name }) => `/api/v1/greeter/${segment(name)}` },
    answered: (id) => ({
      requests: [{ name: id }],
      replies: [{ reply: `Hello ${id}` }],
      code: OK,
      metadata: ["location", "timestamp"],
    }),
    refused: { requests: [{ name: "\t" }], code: INVALID_ARGUMENT, fields: ["name"] },
  },
  {
    ...GREETER,
    name: "LotsOfReplies",
    kind: "server_streaming",
    weight: 2,
    rest: { verb: "GET", path: ({ name }) => `/api/v1/greeter/${segment(name)}/replies` },
    answered: (id) => ({
      requests: [{ name: id }],
      replies: ["你好", "hello", "こんにちは", "안녕하세요"].map((hello) => ({ reply: hello + id })),
      code: OK,
    }),
    refused: { requests: [{ name: "\t" }], code: INVALID_ARGUMENT, fields: ["name"] },
  },
  {
    ...GREETER,
    name: "LotsOfGreetings",
    kind: "client_streaming",
    weight: 2,
    rest: { verb: "POST", path: () => "/api/v1/greeter/greetings" },
    answered: (id) => ({
      requests: [{ name: id }, { name: "七米" }],
      replies: [{ reply: `你好：${id}七米` }],
      code: OK,
    }),
    refused: nameless,
  },
  {
    ...GREETER,
    name: "BidiHello",
    kind: "bidi_streaming",
    weight: 2,
    rest: { verb: "POST", path: () => "/api/v1/greeter/chat" },
    answered: () => ({
      requests: [{ name: "你好吗？" }, { name: "在吧?" }],
      replies: [{ reply: "我好!" }, { reply: "在!" }],
      code: OK,
    }),
    refused: nameless,
  },
  {
    ...MATH,
    name: "Sum",
    kind: "unary",
    weight: 4,
    rest: { verb: "POST", path: () => "/api/v1/math/sum" },
    answered: () => ({ requests: [{ vals: [1, 2, 39] }], replies: [{ val: 42 }], code: OK }),
    refused: { requests: [{ vals: [2 ** 31 - 1, 1] }], code: OUT_OF_RANGE, fields: ["vals"] },
  },
  {
    ...MATH,
    name: "Version",
    kind: "unary",
    weight: 1,
    rest: { verb: "GET", path: () => "/api/v1/math/version" },
    answered: () => ({ requests: [{}], code: OK }),
  },
  {
    ...MATH,
    name: "Divide",
    kind: "unary",
    weight: 3,
    rest: { verb: "POST", path: () => "/api/v1/math/divide" },
    answered: () => ({
      requests: [{ dividend: "-7", divisor: "2" }],
      replies: [{ quotient: "-3", remainder: "-1" }],
      code: OK,
    }),
    refused: { requests: [{ dividend: "1", divisor: "0" }], code: INVALID_ARGUMENT, fields: ["divisor"] },
  },
  {
    ...MATH,
    name: "Fibonacci",
    kind: "server_streaming",
    weight: 2,
    rest: { verb: "GET", path: ({ limit }) => `/api/v1/math/fibonacci/${segment(limit)}` },
    answered: () => ({
      requests: [{ limit: 6 }],
      replies: ["0", "1", "1", "2", "3", "5"].map((val) => ({ val })),
      code: OK,
    }),
    refused: { requests: [{ limit: 95 }], code: INVALID_ARGUMENT, fields: ["limit"] },
  },
  {
    ...MATH,
    name: "Accumulate",
    kind: "client_streaming",
    weight: 1,
    rest: { verb: "POST", path: () => "/api/v1/math/accumulate" },
    answered: () => ({
      requests: [{ val: 1 }, { val: 2 }, { val: 6 }],
      replies: [{ count: "3", sum: 9, minimum: 1, maximum: 6, mean: 3 }],
      code: OK,
    }),
    refused: { requests: [], code: FAILED_PRECONDITION },
  },
  {
    ...MATH,
    name: "RunningSum",
    kind: "bidi_streaming",
    weight: 2,
    rest: { verb: "POST", path: () => "/api/v1/math/running-sum" },
    answered: () => ({
      requests: [{ val: "40" }, { val: "2" }],
      replies: [{ val: "40" }, { val: "42" }],
      code: OK,
    }),
    refused: {
      requests: [{ val: "9223372036854775807" }, { val: "1" }],
      code: OUT_OF_RANGE,
      fields: ["val"],
    },
  },
  {
    ...ADMIN,
    name: "Explain",
    kind: "unary",
    answered: () => ({ requests: [{ method: "greeter.v1.Greeter/SayHello" }], code: OK }),
    refused: { requests: [{ method: "nobody.v1.Nobody/Nothing" }], code: NOT_FOUND },
  },
  {
    ...ADMIN,
    name: "Subjects",
    kind: "unary",
    answered: () => ({ requests: [{}], code: OK }),
  },
];
