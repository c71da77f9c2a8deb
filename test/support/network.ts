/** Several hosts on one machine: network namespaces with addresses of their own, a bridge between them, and DNS. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { requireProgram } from "./programs.ts";

const run = promisify(execFile);

/** Why tests cannot have a network of their own; false: they can. */
export function needsNetwork(): { skip: string | false } {
  if (process.getuid?.() !== 0) return { skip: "network namespaces need root" };
  const programs = [
    requireProgram("ip", "apt-get install iproute2"),
    requireProgram("dnsmasq", "apt-get install dnsmasq-base"),
  ];
  return programs.find(({ skip }) => skip) ?? { skip: false };
}

export interface Network extends AsyncDisposable {
  /** Where the hosts reach this machine. */
  readonly address: string;
  /** Adds a host. */
  host(): Promise<Host>;
  /** What a name stands for from now on, as a headless service's name for its pods. */
  name(name: string, hosts: readonly { readonly address: string }[]): Promise<void>;
}

export interface Host {
  readonly address: string;
  /** Runs the command behind it on this host. */
  readonly within: readonly string[];
  /** The file that says who is asked for names. */
  readonly resolvConf: string;
}

const FIRST_HOST = 10;

export async function createNetwork(): Promise<Network> {
  const subnet = await claimSubnet();
  const middle = middleOf(subnet);
  const address = `10.213.${subnet}.1`;
  const directory = await mkdtemp(join(tmpdir(), "gantry-network-"));
  const names = new Map<string, readonly { readonly address: string }[]>();
  const namesFile = join(directory, "names");
  const resolvConf = join(directory, "resolv.conf");
  await writeFile(namesFile, "");
  await writeFile(resolvConf, `nameserver ${address}\n`);
  // The bridge has a namespace of its own, so that what this machine filters does not concern it.
  const inMiddle = ["-n", middle, "link"];
  await run("ip", [...inMiddle, "add", "bridge", "type", "bridge"]);
  await run("ip", [...inMiddle, "set", "bridge", "up"]);
  await run("ip", [
    ...inMiddle,
    "add",
    "outside",
    "type",
    "veth",
    "peer",
    "name",
    middle,
    "netns",
    `${process.pid}`,
  ]);
  await run("ip", [...inMiddle, "set", "outside", "master", "bridge", "up"]);
  await run("ip", ["address", "add", `${address}/24`, "dev", middle]);
  await run("ip", ["link", "set", middle, "up"]);
  const dns = spawn(
    "dnsmasq",
    [
      ...["--keep-in-foreground", "--log-facility=-", "--user=root", "--pid-file", "--conf-file=/dev/null"],
      ...["--no-resolv", "--no-hosts", "--local=/#/", `--addn-hosts=${namesFile}`],
      ...["--bind-interfaces", `--listen-address=${address}`, "--except-interface=lo"],
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const lines = createInterface(dns.stderr);
  const namesRead = () =>
    new Promise<void>((resolve) => {
      const look = (line: string) => {
        if (!line.includes(namesFile)) return;
        lines.off("line", look);
        resolve();
      };
      lines.on("line", look);
    });
  await namesRead();
  const namespaces: string[] = [];

  return {
    address,
    async host() {
      const number = FIRST_HOST + namespaces.length;
      const namespace = `${middle}-${number}`;
      namespaces.push(namespace);
      const host = {
        address: `10.213.${subnet}.${number}`,
        within: within(namespace, resolvConf),
        resolvConf,
      };
      await run("ip", ["netns", "add", namespace]);
      const link = `host${number}`;
      await run("ip", [...inMiddle, "add", link, "type", "veth", "peer", "name", "eth0", "netns", namespace]);
      await run("ip", [...inMiddle, "set", link, "master", "bridge", "up"]);
      await run("ip", ["-n", namespace, "link", "set", "lo", "up"]);
      await run("ip", ["-n", namespace, "address", "add", `${host.address}/24`, "dev", "eth0"]);
      await run("ip", ["-n", namespace, "link", "set", "eth0", "up"]);
      return host;
    },
    async name(name, hosts) {
      names.set(name, hosts);
      const lines = [...names].flatMap(([each, of]) => of.map((host) => `${host.address} ${each}\n`));
      await writeFile(namesFile, lines.join(""));
      const read = namesRead();
      dns.kill("SIGHUP");
      await read;
    },
    async [Symbol.asyncDispose]() {
      const exited = once(dns, "exit");
      dns.kill();
      await exited;
      await run("ip", ["link", "delete", middle]);
      for (const namespace of [...namespaces, middle]) await run("ip", ["netns", "delete", namespace]);
      await rm(directory, { recursive: true });
    },
  };
}

/** Runs the command behind it there, and for it alone with this file as the one that says who is asked for names. */
function within(namespace: string, resolvConf: string): string[] {
  const asked = `mount --bind ${resolvConf} /etc/resolv.conf && exec "$@"`;
  return ["ip", "netns", "exec", namespace, "sh", "-c", asked, "sh"];
}

function middleOf(subnet: number): string {
  return `gantry${subnet}`;
}

/** Tests run in parallel: who makes the namespace has its addresses. */
async function claimSubnet(): Promise<number> {
  for (let subnet = 0; subnet < 256; subnet += 1) {
    try {
      await run("ip", ["netns", "add", middleOf(subnet)]);
      return subnet;
    } catch (error) {
      if (!(error instanceof Error && error.message.includes("File exists"))) throw error;
    }
  }
  throw new Error("There are 256 networks of tests already: `ip netns` shows them.");
}
