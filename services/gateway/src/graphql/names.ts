/**
 * Names for what GraphQL has in one space and protobuf in many: `greeter.v1.HelloRequest` is `HelloRequest`
 * where nobody else is called so, and `GreeterV1HelloRequest` where somebody is. Who asks first keeps the
 * short name, so that a service which is added behind the others renames nothing.
 */
export class Names {
  readonly #taken: Set<string>;

  constructor(reserved: Iterable<string>) {
    this.#taken = new Set(reserved);
  }

  /**
   * Takes a name together with others that are made from it.
   *
   * @param candidates in the order in which they are tried; the last one gets a number where it is taken too
   * @param suffixes what else the name stands for: with `Input`, `Foo` takes `FooInput` too
   */
  take(candidates: readonly string[], suffixes: readonly string[] = []): string {
    const all = (name: string) => [name, ...suffixes.map((suffix) => name + suffix)];
    const isFree = (name: string) => all(name).every((each) => !this.#taken.has(each));
    const last = candidates.at(-1) ?? "";
    let name = candidates.find(isFree);
    for (let number = 2; name === undefined; number += 1) {
      if (isFree(`${last}${number}`)) name = `${last}${number}`;
    }
    for (const each of all(name)) this.#taken.add(each);
    return name;
  }
}

/** Whether GraphQL takes this as a name. Those with two underscores in front are its own. */
export function isName(text: string): boolean {
  return /^(?!__)[_A-Za-z][_0-9A-Za-z]*$/.test(text);
}

/** `greeter.v1` is `GreeterV1`. */
export function pascal(text: string): string {
  return text.replaceAll(/(?:^|[._])([0-9A-Za-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** `SayHello` is `sayHello`. */
export function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
