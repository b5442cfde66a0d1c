package changefeed

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// A server's address, taken apart.
type address struct {
	// Host, port and path, without a slash at the end.
	rest     string
	isSecure bool
	user     *url.Userinfo
	// For people.
	shown string
}

func parseAddress(given string) (address, error) {
	shown := hideSecrets(given)
	parsed, err := url.Parse(given)
	if err != nil || !isUsable(parsed) {
		return address{}, invalidOption("url", fmt.Sprintf("%q is not allowed", shown), "addresses such as http://127.0.0.1:4650")
	}
	return address{
		rest:     parsed.Host + strings.TrimRight(parsed.EscapedPath(), "/"),
		isSecure: parsed.Scheme == "https" || parsed.Scheme == "wss",
		user:     parsed.User,
		shown:    shown,
	}, nil
}

func isUsable(parsed *url.URL) bool {
	if port := parsed.Port(); port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
	}
	// Behind an @ there would be the host: what stands before it is most likely a part of a password.
	behindHost := parsed.Path + "?" + parsed.RawQuery + "#" + parsed.Fragment
	return contains([]string{"http", "https", "ws", "wss"}, parsed.Scheme) &&
		parsed.Hostname() != "" && !strings.Contains(behindHost, "@")
}

func (a address) http(path string) string {
	if a.isSecure {
		return "https://" + a.rest + path
	}
	return "http://" + a.rest + path
}

// User and password of the address as a header; "" where there are none.
func (a address) basicAuth() string {
	if a.user == nil {
		return ""
	}
	password, _ := a.user.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(a.user.Username()+":"+password))
}

var (
	schemePart = regexp.MustCompile(`(?i)^\s*[a-z][a-z0-9+.-]*://`)
	// The host of an address and what follows it: nothing in it can be a password.
	harmless = regexp.MustCompile(`(?is)^([\w.-]*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?([/?#].*)?$`)
)

// A text given as an address, for people: without user and password, however wrong it is. A password may hold signs that
// should have been escaped, so everything up to the last @ counts as one; without an @, everything behind a colon that no
// port follows.
func hideSecrets(given string) string {
	scheme := schemePart.FindString(given)
	if at := strings.LastIndex(given, "@"); at >= 0 {
		return scheme + "[redacted]@" + given[at+1:]
	}
	rest := given[len(scheme):]
	if harmless.MatchString(rest) {
		return given
	}
	if host, _, found := strings.Cut(rest, ":"); found {
		return scheme + host + ":[redacted]"
	}
	return given
}
