package changefeed

import (
	"net/url"
	"strconv"
	"strings"
)

// Parameters of a query, in order.
type pairs []pair

type pair struct{ name, value string }

func (p *pairs) add(name, value string) { *p = append(*p, pair{name, value}) }

// An empty list allows nothing, an absent one everything: the server refuses the former.
func (p *pairs) addList(name string, values []string) {
	if values != nil && len(values) == 0 {
		p.add(name, "")
	}
	for _, value := range values {
		p.add(name, value)
	}
}

// Takes the place of what is there of it; "" is as if it had not been given.
func (p *pairs) set(name, value string) {
	if value != "" {
		*p = p.with(name, value)
	}
}

func (p *pairs) setNumber(name string, number int) {
	if number != 0 {
		p.set(name, strconv.Itoa(number))
	}
}

func (p pairs) get(name string) string {
	for _, one := range p {
		if one.name == name {
			return one.value
		}
	}
	return ""
}

func (p pairs) with(name, value string) pairs { return append(p.without(name), pair{name, value}) }

// A copy.
func (p pairs) without(names ...string) pairs {
	kept := make(pairs, 0, len(p)+1)
	for _, one := range p {
		if !contains(names, one.name) {
			kept = append(kept, one)
		}
	}
	return kept
}

// With the question mark, if there is any.
func (p pairs) query() string {
	parts := make([]string, 0, len(p))
	for _, one := range p {
		parts = append(parts, url.QueryEscape(one.name)+"="+url.QueryEscape(one.value))
	}
	if len(parts) == 0 {
		return ""
	}
	return "?" + strings.Join(parts, "&")
}

func contains(texts []string, text string) bool {
	for _, one := range texts {
		if one == text {
			return true
		}
	}
	return false
}

// Keeps nil apart from empty.
func texts[T ~string](values []T) []string {
	if values == nil {
		return nil
	}
	all := make([]string, 0, len(values))
	for _, value := range values {
		all = append(all, string(value))
	}
	return all
}
