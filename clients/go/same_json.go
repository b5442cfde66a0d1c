package changefeed

import (
	"encoding/json"
	"math/big"
	"strings"
)

// Whether two JSON values say the same. The order of members does not count, nor how a number is written.
func sameJSON(one, other json.RawMessage) bool {
	first, err := parseExact(one)
	if err != nil {
		return false
	}
	second, err := parseExact(other)
	return err == nil && sameValue(first, second)
}

// Numbers stay texts.
func parseExact(text json.RawMessage) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

func sameValue(one, other any) bool {
	switch one := one.(type) {
	case map[string]any:
		other, ok := other.(map[string]any)
		if !ok || len(one) != len(other) {
			return false
		}
		for name, value := range one {
			if second, found := other[name]; !found || !sameValue(value, second) {
				return false
			}
		}
		return true
	case []any:
		other, ok := other.([]any)
		if !ok || len(one) != len(other) {
			return false
		}
		for at, value := range one {
			if !sameValue(value, other[at]) {
				return false
			}
		}
		return true
	case json.Number:
		other, ok := other.(json.Number)
		return ok && (one == other || normal(string(one)) == normal(string(other)))
	default:
		return one == other
	}
}

// A number's sign and digits without zeros around them, and where the point is: the same for what is worth the same.
type normalNumber struct {
	isNegative bool
	digits     string
	exponent   string
}

func normal(text string) normalNumber {
	made := normalNumber{isNegative: strings.HasPrefix(text, "-")}
	text = strings.TrimPrefix(text, "-")
	mantissa, exponent := text, "0"
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		mantissa, exponent = text[:at], text[at+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	made.digits = strings.TrimRight(digits, "0")
	if made.digits == "" {
		// Zero has no sign worth telling.
		return normalNumber{}
	}
	made.exponent = shifted(exponent, len(digits)-len(made.digits)-len(fraction))
	return made
}

// An exponent may have any number of digits.
func shifted(exponent string, by int) string {
	sum, ok := new(big.Int).SetString(strings.TrimPrefix(exponent, "+"), 10)
	if !ok {
		return exponent
	}
	return sum.Add(sum, big.NewInt(int64(by))).String()
}
