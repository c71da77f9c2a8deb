/**
 * The services that an xDS control plane tells of. `@grpc/grpc-js-xds` does all of it. It is optional, and it
 * is loaded by the first channel to an xds target that is used: this resolver stands in front of its own.
 */
import { detached } from "@gantry/rpc";
import { experimental, Metadata, status } from "@grpc/grpc-js";

/** The scheme of names that the package's `xds:` resolves; what follows is the same. */
export const LOADED_XDS = "gantry-xds";
/** The channel option with an `XdsTarget`. Connections do not differ by it. */
export const XDS_OPTION = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.gantry_xds`;

const PACKAGE = "@grpc/grpc-js-xds";

export interface XdsTarget {
  /** As it was given. */
  readonly text: string;
  /** Called where something is missing that time does not mend; it says what. */
  onUnusable(reason: string): void;
}

type Listened = Parameters<experimental.ResolverListener>;

class XdsResolver implements experimental.Resolver {
  readonly #uri: experimental.GrpcUri;
  readonly #listener: experimental.ResolverListener;
  readonly #options: Parameters<typeof experimental.createResolver>[2];
  readonly #target: XdsTarget;
  #inner: experimental.Resolver | undefined;
  #wanted = false;
  /** Whether the control plane has said what could be used. */
  #known = false;

  constructor(...[uri, listener, options]: Parameters<typeof experimental.createResolver>) {
    this.#uri = { ...uri, scheme: "xds" };
    this.#listener = listener;
    this.#options = options;
    // What grpc-channel.ts has put there.
    this.#target = options[XDS_OPTION] as XdsTarget;
  }

  static getDefaultAuthority({ path }: experimental.GrpcUri): string {
    return path;
  }

  updateResolution(): void {
    this.#inner?.updateResolution();
    if (this.#wanted) return;
    this.#wanted = true;
    // The call that comes first has no say in what all get to know.
    detached(() => this.#start()).catch((error) => this.#giveUp(textOf(error)));
  }

  destroy(): void {
    this.#wanted = false;
    this.#stop();
  }

  async #start(): Promise<void> {
    await loadXds();
    if (!this.#wanted || this.#inner) return;
    const { GRPC_XDS_BOOTSTRAP, GRPC_XDS_BOOTSTRAP_CONFIG } = process.env;
    if (!GRPC_XDS_BOOTSTRAP && !GRPC_XDS_BOOTSTRAP_CONFIG) {
      throw new Error(
        "there is no xDS bootstrap: expected GRPC_XDS_BOOTSTRAP to name its file, or GRPC_XDS_BOOTSTRAP_CONFIG to hold its JSON",
      );
    }
    const inner = this.#open((...listened) => this.#inner === inner && this.#pass(listened));
    this.#inner = inner;
    inner.updateResolution();
  }

  #open(listener: experimental.ResolverListener): experimental.Resolver {
    let inner: experimental.Resolver;
    try {
      inner = experimental.createResolver(this.#uri, listener, this.#options);
    } catch (cause) {
      throw new Error(
        `${PACKAGE} has registered with another copy of @grpc/grpc-js than this client's: expected both to be installed side by side, and neither to be bundled`,
        { cause },
      );
    }
    this.#guard(inner);
    return inner;
  }

  /**
   * What the control plane says is put into force by a promise that nobody waits for. Where it fails, as it
   * does where the channel is closed meanwhile or a regular expression is none, the process would end.
   */
  #guard(inner: experimental.Resolver): void {
    // Private to the package: where it is called otherwise some day, nothing is lost but this guard.
    const open = inner as { handleXdsConfig?: (config: unknown) => Promise<void> };
    const handle = open.handleXdsConfig?.bind(open);
    if (!handle) return;
    open.handleXdsConfig = async (config) => {
      await handle(config).catch((error) => {
        // What it said before holds.
        if (this.#inner !== inner || this.#known) return;
        this.#fail(`What the control plane says cannot be used: ${textOf(error)}`);
      });
    };
  }

  #pass(listened: Listened): boolean {
    const [endpoints, , serviceConfig, note] = listened;
    if (!endpoints.ok) {
      // Not about what the control plane says, which comes as a note, but about the bootstrap.
      this.#giveUp(endpoints.error.details.replace(/^xDS name resolution failed for target \S+: /, ""));
    } else if (serviceConfig === null) {
      // As it comes, grpc-js would have calls wait.
      const reason = note.replace(/^Resolution error for target \S+: /, "");
      this.#fail(`xDS knows no way to ${this.#target.text}: ${reason}`);
    } else {
      this.#known = true;
      return this.#listener(...listened);
    }
    return true;
  }

  #giveUp(reason: string): void {
    if (!this.#wanted) return;
    this.#stop();
    this.#target.onUnusable(`The target ${this.#target.text} cannot be used: ${reason}.`);
    // Whoever waits for the channel to be ready looks again.
    this.#fail(reason);
  }

  #stop(): void {
    const inner = this.#inner;
    this.#inner = undefined;
    this.#known = false;
    inner?.destroy();
  }

  #fail(reason: string): void {
    const error = { code: status.UNAVAILABLE, details: `${reason}.`, metadata: new Metadata() };
    this.#listener(experimental.statusOrFromError(error), {}, null, "");
  }
}

async function loadXds(): Promise<void> {
  try {
    const { register } = await import("@grpc/grpc-js-xds");
    register();
  } catch (cause) {
    const missing = cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND";
    const reason = missing
      ? `it needs the package ${PACKAGE}, which is not installed: expected "npm install ${PACKAGE}"`
      : `${PACKAGE} could not be loaded: ${textOf(cause)}`;
    throw new Error(reason, { cause });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

experimental.registerResolver(LOADED_XDS, XdsResolver);
