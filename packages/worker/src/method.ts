import type { DescMethod } from "@bufbuild/protobuf";
import { type MethodKind, MethodStats, methodName, methodPath } from "@gantry/rpc";
import type { MethodPolicy } from "./policy/policy.ts";
import type { Protocol } from "./protocol.ts";

/**
 * A method that a worker serves: all that can be known of it at start-up, worked out once.
 * Its policy alone may change while the worker runs, and is then replaced as a whole.
 */
export class Method {
  readonly desc: DescMethod;
  readonly kind: MethodKind;
  /** `greeter.v1.Greeter/SayHello` */
  readonly name: string;
  /** `/greeter.v1.Greeter/SayHello` */
  readonly path: string;
  readonly clientStreaming: boolean;
  readonly serverStreaming: boolean;
  /** Health, reflection and admin: exempt from quotas and shedding. */
  readonly inBand: boolean;
  /** Its handler only hands calls on to another worker. */
  readonly forwarded: boolean;
  /** What has been counted of its calls. */
  readonly stats = new MethodStats();
  /** How many of its calls came by other ways than gRPC. */
  readonly callsByProtocol = new Map<Protocol, number>();
  /** The policy in force. */
  policy: MethodPolicy;

  constructor(desc: DescMethod, policy: MethodPolicy, options: { inBand: boolean; forwarded?: boolean }) {
    this.desc = desc;
    this.kind = desc.methodKind;
    this.name = methodName(desc);
    this.path = methodPath(desc);
    this.clientStreaming = desc.methodKind === "client_streaming" || desc.methodKind === "bidi_streaming";
    this.serverStreaming = desc.methodKind === "server_streaming" || desc.methodKind === "bidi_streaming";
    this.inBand = options.inBand;
    this.forwarded = options.forwarded ?? false;
    this.policy = policy;
  }
}
