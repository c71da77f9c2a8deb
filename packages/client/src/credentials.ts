import type { DescMethod } from "@bufbuild/protobuf";
import { type CallOptions, Code, Metadata, RpcError } from "@gantry/rpc";
import type { ClientCall } from "./interceptor.ts";

/** How a channel protects what it sends: `insecure` or what `tls` gives. */
export type ChannelCredentials =
  | { readonly secure: false }
  | ({
      readonly secure: true;
      /** Gives the options that hold by now. Default: they stay as they are. */
      readonly renew?: () => TlsOptions;
    } & TlsOptions);

export interface TlsOptions {
  /** PEM: who may sign the server's certificate. Default: the authorities that Node.js knows. */
  readonly ca?: string | Uint8Array;
  /** PEM: this client's own certificate with its chain, for servers that ask for one. */
  readonly cert?: string | Uint8Array;
  /** PEM: the private key of `cert`. */
  readonly key?: string | Uint8Array;
  /** The name that the server's certificate has to have. Default: the host of the target, or the first of several. */
  readonly serverName?: string;
}

/** Plaintext. */
export const insecure: ChannelCredentials = { secure: false };

/**
 * TLS 1.2 or newer; mutual TLS where `cert` and `key` are given.
 *
 * @param options what holds, or a function that is asked at once, and again for each connection: for files that
 * are renewed. A connection for which it throws is not made, and says why
 * @throws TypeError where one of the two is given without the other
 */
export function tls(options: TlsOptions | (() => TlsOptions) = {}): ChannelCredentials {
  const renew = typeof options === "function" ? options : undefined;
  const given = typeof options === "function" ? options() : options;
  const { cert, key } = given;
  if ((cert === undefined) !== (key === undefined)) {
    const [found, missing] = cert === undefined ? ["key", "cert"] : ["cert", "key"];
    throw new TypeError(`tls() was given \`${found}\` alone: expected \`${missing}\` beside it, or neither.`);
  }
  return { secure: true, ...given, ...(renew && { renew }) };
}

/** Gives the headers by which one call says who makes it. Asked again for each attempt. */
export type CallCredentials = (call: CredentialsRequest) => Metadata | Promise<Metadata>;

export interface CredentialsRequest {
  readonly method: DescMethod;
  readonly target: string;
}

/** What a caller may say of one call. */
export interface ClientCallOptions extends CallOptions {
  /**
   * Gives the headers by which this call says who makes it. Never asked, and the call refused, where
   * they could be read on the way: in plaintext to another host.
   */
  readonly credentials?: CallCredentials;
}

/** The call's headers with those that its credentials give. @throws RpcError where they must not be sent */
export async function authorizedHeaders(call: ClientCall, credentials: CallCredentials): Promise<Metadata> {
  refuseExposed(call);
  const headers = new Metadata(call.headers);
  let given: Metadata;
  try {
    given = await credentials({ method: call.method, target: call.target });
  } catch (error) {
    if (error instanceof RpcError) throw error;
    throw new RpcError(Code.Unauthenticated, "The call's credentials could not be had.", [], {
      cause: error,
    });
  }
  for (const [key, value] of given) headers.append(key, value);
  return headers;
}

/** @throws RpcError FAILED_PRECONDITION where secrets of the call could be read on the way */
export function refuseExposed({ exposed, target }: ClientCall): void {
  if (!exposed) return;
  throw new RpcError(
    Code.FailedPrecondition,
    `The call has credentials, and ${target} would get them in plaintext: expected TLS, or a server on this host.`,
  );
}
