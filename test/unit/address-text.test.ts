import { expect, test } from "vitest";
import { streamUrl } from "../../packages/client/src/options.ts";
import { assertFeedUrl } from "../../src/commands/support/feed-url.ts";
import { parseAddresses } from "../../src/nomad/address.ts";
import { hideSecrets, hideSecretsIn } from "../../src/schemas/address-text.ts";

test.each([
  ["https://nomad.example:4646/v1?x=1", "https://nomad.example:4646/v1?x=1"],
  ["http://[::1]:4646", "http://[::1]:4646"],
  ["unix:///run/redis.sock", "unix:///run/redis.sock"],
  ["http://me:a@b/c@nomad:4646", "http://[redacted]@nomad:4646"],
  // What no host can be may be a password, also where the address beside it is right or the sign behind it is missing.
  ["http://nomad,http://me:secret", "http://nomad,http:[redacted]"],
  ["http://me:1234567", "http://me:[redacted]"],
  // What follows a password stays, as far as it is known to be a setting.
  [
    "redis+sentinel://one,two/main?sentinelPassword=a&b&feed=jobs",
    "redis+sentinel://one,two/main?sentinelPassword=[redacted]&feed=jobs",
  ],
  [
    "redis+sentinel://me:a@one/main?sentinelPassword=b&sentinelUser=c",
    "redis+sentinel://[redacted]@one/main?sentinelPassword=[redacted]&sentinelUser=c",
  ],
])("of the address %s is shown %s", (given, shown) => {
  expect(hideSecrets(given)).toBe(shown);
});

test.each([
  ["GET http://me:a@b@nomad/v1 failed", "GET http://[redacted]@nomad/v1 failed"],
  ["at redis://one?sentinelPassword=a&feed=jobs", "at redis://one?sentinelPassword=[redacted]&feed=jobs"],
  // The form in a hint is no address.
  ["Write it as redis://[user:password@]host:port", "Write it as redis://[user:password@]host:port"],
])("of the text '%s' is shown '%s'", (given, shown) => {
  expect(hideSecretsIn(given)).toBe(shown);
});

test.each([
  ["the client", (url: string) => streamUrl({ url })],
  ["a command", (url: string) => assertFeedUrl(url, ["none:"])],
  ["the address of Nomad", (url: string) => parseAddresses([url], undefined)],
])("%s takes no user for a host where a sign in the password cuts the address short", (_who, read) => {
  for (const sign of "/?#")
    expect(() => read(`http://me:1${sign}w@nomad`)).toThrow("http://[redacted]@nomad");
});
