package changefeed

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// The request that becomes a WebSocket, or is answered otherwise: the WebSocket library tells of such an answer no more
// than its beginning.
type opening struct {
	transport *http.Transport
	refusal   *answer
}

func (o *opening) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := o.transport.RoundTrip(request)
	if err == nil && response.StatusCode != http.StatusSwitchingProtocols {
		whole := readAnswer(response)
		o.refusal = &whole
	}
	return response, err
}

func (o *opening) endingOf(err error) ending {
	if o.refusal != nil {
		return refused{*o.refusal}
	}
	return closed{code: noCloseFrame, problem: withoutURL(err), isUntrusted: isUntrusted(err)}
}

// A redirect is an answer like any other: a token goes nowhere else.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func http1TLS(config *tls.Config) *tls.Config {
	if config == nil {
		return nil
	}
	own := config.Clone()
	own.NextProtos = nil
	return own
}

// What the network said, without the address, which has been said.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// Whether it stays so: the certificate, or a peer that speaks no TLS; and not one that broke off.
func isUntrusted(err error) bool {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var roots x509.SystemRootsError
	var record tls.RecordHeaderError
	if errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid) ||
		errors.As(err, &roots) || errors.As(err, &record) {
		return true
	}
	// What the other side thinks of ours, and what net/http makes of a record header, have no type in Go 1.19.
	for _, said := range []string{"remote error: tls: ", "gave HTTP response to HTTPS client"} {
		if strings.Contains(err.Error(), said) {
			return true
		}
	}
	return false
}
