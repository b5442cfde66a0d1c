/** What stands in for `env:NAME` and `file:PATH`. */
type ReadSecret = (reference: string) => string;

const REFERENCE = /^(?:env|file):/;

interface EndpointSettings {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Where requests go and what is configured to go with them; which of that is secret. */
export class Endpoint {
  readonly url: URL;
  /** What may be shown of it. */
  readonly origin: string;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];

  constructor({ url, headers = {} }: EndpointSettings, readSecret: ReadSecret) {
    const read = (text: string) => (REFERENCE.test(text) ? readSecret(text) : text);
    this.url = urlOf(read(url));
    this.origin = this.url.origin;
    const [userHeader, password] = takeCredentials(this.url);
    const configured = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), read(value)]);
    this.headers = { ...userHeader, ...Object.fromEntries(configured) };
    const secretHeaders = Object.values(headers).filter((value) => REFERENCE.test(value));
    this.secrets = [
      ...password,
      ...Object.values(userHeader),
      ...secretHeaders.map(read),
      ...(REFERENCE.test(url) ? partsOf(this.url) : []),
    ];
  }
}

/** @throws Error that does not quote it: the address itself may be the secret */
function urlOf(text: string): URL {
  const url = URL.parse(text.trim());
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Error("url is no address that begins with https:// or http://");
  url.hash = "";
  return url;
}

/** `https://user:password@host` signs in by them, as a header. */
function takeCredentials(url: URL): [header: Record<string, string>, password: string[]] {
  if (url.username === "" && url.password === "") return [{}, []];
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  url.username = "";
  url.password = "";
  const basic = Buffer.from(`${user}:${password}`).toString("base64");
  return [{ authorization: `Basic ${basic}` }, [password]];
}

/** What a secret address consists of, whole and in parts, as others would repeat it. */
function partsOf({ href, pathname, search, searchParams }: URL): string[] {
  return [href, `${pathname}${search}`, ...pathname.split("/"), ...searchParams.values()];
}
