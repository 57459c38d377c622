package outbound

import "net/netip"

// special is a range that is not of the public internet, and what people call it.
type special struct {
	addresses netip.Prefix
	name      string
}

// specials4 is the IANA registry of special-purpose IPv4 addresses, with multicast, with what is reserved, and with one public
// address that clouds made special. Exceptions within these ranges that can be reached from anywhere have no web servers.
var specials4 = ranges(
	"0.0.0.0/8", "unspecified",
	"10.0.0.0/8", "private",
	"100.64.0.0/10", "shared (carrier-grade NAT)", // 100.100.100.200 is Alibaba's metadata
	"127.0.0.0/8", "loopback",
	"168.63.129.16/32", "metadata", // Azure's host agent
	"169.254.0.0/16", "link-local (metadata of clouds)",
	"172.16.0.0/12", "private",
	"192.0.0.0/24", "reserved", // 192.0.0.192 is Oracle's metadata
	"192.0.2.0/24", "documentation",
	"192.88.99.0/24", "reserved", // relays of 6to4
	"192.168.0.0/16", "private",
	"198.18.0.0/15", "benchmarking",
	"198.51.100.0/24", "documentation",
	"203.0.113.0/24", "documentation",
	"224.0.0.0/4", "multicast",
	"255.255.255.255/32", "broadcast",
	"240.0.0.0/4", "reserved",
)

// specials6 only has names for what is outside public6, and what is special within.
var specials6 = ranges(
	"::/128", "unspecified",
	"::1/128", "loopback",
	"fc00::/7", "private",
	"fe80::/10", "link-local",
	"ff00::/8", "multicast",
	"2001::/23", "reserved", // protocols: Teredo, ORCHID, benchmarking
	"2001:db8::/32", "documentation",
	"2002::/16", "6to4", // a tunnel to an IPv4 address; nobody serves by it any more (RFC 7526)
	"3fff::/20", "documentation",
)

var (
	// public6 is all of IPv6 that is assigned for the internet. What is outside cannot be reached from there: IPv4-compatible
	// and -translated addresses, site-local ones, segment routing, NAT64 of a network's own.
	public6 = netip.MustParsePrefix("2000::/3")
	// nat64 are IPv4 addresses as networks that have IPv6 alone reach them (RFC 6052): public ones must stay reachable.
	nat64 = netip.MustParsePrefix("64:ff9b::/96")

	loopback4 = netip.MustParseAddr("127.0.0.1")
	loopback6 = netip.IPv6Loopback()
)

// ranges makes a table of ranges and names in turn.
func ranges(rows ...string) []special {
	var all []special
	for i := 0; i < len(rows); i += 2 {
		all = append(all, special{netip.MustParsePrefix(rows[i]), rows[i+1]})
	}
	return all
}

// plain gives an address in the one form that it is judged in: what an operating system connects to when it is told to. IPv4
// within IPv6 is IPv4, zones are not looked at; both would keep a range from having the address in it.
func plain(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		b := a.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}

// specialOf names what is special of a plain address; empty when nothing is.
func specialOf(a netip.Addr) string {
	table := specials6
	if a.Is4() {
		table = specials4
	}
	for _, s := range table {
		if s.addresses.Contains(a) {
			return s.name
		}
	}
	if !a.Is4() && !public6.Contains(a) {
		return "reserved"
	}
	return ""
}
