/**
 * TLS as grpc-js has it but for one thing: it sends the name that a certificate has to have as the name
 * of the server too, which TLS does not allow for an IP address (RFC 6066, section 3), and of which
 * Node.js warns (DEP0123).
 */
import { isIP, type Socket } from "node:net";
import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { CallCredentials, ChannelCredentials, type experimental } from "@grpc/grpc-js";
import type { TlsOptions } from "../../credentials.ts";

export class TlsCredentials extends ChannelCredentials {
  readonly #context: SecureContext;
  readonly #name: string;

  /** @param host the name that the server's certificate has to have, unless the options name another */
  constructor({ ca, cert, key, serverName }: TlsOptions, host: string) {
    super();
    this.#context = createSecureContext({
      minVersion: "TLSv1.2",
      ...(ca !== undefined && { ca: Buffer.from(ca) }),
      ...(cert !== undefined && { cert: Buffer.from(cert) }),
      ...(key !== undefined && { key: Buffer.from(key) }),
    });
    this.#name = serverName ?? host;
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

  #secured(socket: Socket): Promise<TLSSocket> {
    const name = this.#name;
    return new Promise((resolve, reject) => {
      const secured = connect(
        {
          socket,
          secureContext: this.#context,
          ALPNProtocols: ["h2"],
          // The certificate is held to the name, or the address, that is said here.
          host: name,
          ...(isIP(name) === 0 && { servername: name }),
        },
        () => resolve(secured),
      );
      secured.on("error", reject);
    });
  }
}
