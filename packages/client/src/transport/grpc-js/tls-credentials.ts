/**
 * TLS as grpc-js has it but for two things. It sends the name that a certificate has to have as the name
 * of the server too, which TLS does not allow for an IP address (RFC 6066, section 3), and of which
 * Node.js warns (DEP0123). And it passes on what OpenSSL says of a failure, or nothing: with TLS 1.3 a
 * server looks at the client's certificate when the client thinks the handshake done, so that its refusal
 * is the first thing that is read, or the end of the connection.
 */
import { isIP, type Socket } from "node:net";
import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { CallCredentials, ChannelCredentials, type experimental } from "@grpc/grpc-js";
import type { TlsOptions } from "../../credentials.ts";
import { tlsFailure } from "./tls-failure.ts";

export class TlsCredentials extends ChannelCredentials {
  readonly #renew: (() => TlsOptions) | undefined;
  readonly #first: TlsInForce;
  readonly #host: string;

  /** @param host the name that the server's certificate has to have, unless the options name another */
  constructor(options: TlsOptions & { renew?: () => TlsOptions }, host: string) {
    super();
    this.#renew = options.renew;
    this.#first = inForce(options);
    this.#host = host;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(): experimental.SecureConnector {
    return {
      connect: async (socket) => ({ secure: true, socket: await this.#secured(socket) }),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => CallCredentials.createEmpty(),
      destroy() {},
    };
  }

  async #secured(socket: Socket): Promise<TLSSocket> {
    const { context, options } = this.#renew ? inForce(this.#renew()) : this.#first;
    const name = options.serverName ?? this.#host;
    const inWords = (error?: Error) => tlsFailure(error, options);
    return new Promise((resolve, reject) => {
      const secured = connect(
        {
          socket,
          secureContext: context,
          ALPNProtocols: ["h2"],
          // The certificate is held to the name, or the address, that is said here.
          host: name,
          ...(isIP(name) === 0 && { servername: name }),
        },
        () => resolve(secured),
      );
      // First to hear of them, and so before grpc-js, this puts errors in words while they are about TLS.
      secured.on("error", (error) => {
        if (secured.bytesRead === 0) error.message = inWords(error);
        reject(error);
      });
      // Of a connection that is closed without an error grpc-js says nothing at all.
      secured.once("close", (failed) => {
        if (secured.bytesRead === 0 && !failed) secured.emit("error", new Error(inWords()));
      });
    });
  }
}

interface TlsInForce {
  readonly context: SecureContext;
  readonly options: TlsOptions;
}

/** @throws Error where what is given is no certificate, or no key of it */
function inForce(options: TlsOptions): TlsInForce {
  const { ca, cert, key } = options;
  const context = createSecureContext({
    minVersion: "TLSv1.2",
    ...(ca !== undefined && { ca: Buffer.from(ca) }),
    ...(cert !== undefined && { cert: Buffer.from(cert) }),
    ...(key !== undefined && { key: Buffer.from(key) }),
  });
  return { context, options };
}
