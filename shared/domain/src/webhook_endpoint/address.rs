//! Which addresses are on the public internet. By IANA's special-purpose registries (RFC 6890) and not by a crate: those
//! there are have not been kept for years, and the standard library's `is_global` is unstable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is somebody's on the public internet, and no way into our own network or our host. What is registered
/// for a special purpose isn't, even where it is reachable: nobody has a server there.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(address) => is_public_v4(address),
            None => is_public_v6(address),
        },
    }
}

/// Network, and how many of its bits count.
const SPECIAL_V4: [(Ipv4Addr, u32); 17] = [
    (Ipv4Addr::UNSPECIFIED, 8),           // this network, and unspecified: RFC 791
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private: RFC 1918
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // shared by carriers (CGNAT): RFC 6598
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback: RFC 1122
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, the metadata services among it: RFC 3927
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private: RFC 1918
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments: RFC 6890
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation: RFC 5737
    (Ipv4Addr::new(192, 31, 196, 0), 24), // AS112: RFC 7535
    (Ipv4Addr::new(192, 52, 193, 0), 24), // multicast tunnels: RFC 7450
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relays, given up: RFC 7526
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private: RFC 1918
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks: RFC 2544
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation: RFC 5737
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation: RFC 5737
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast: RFC 5771
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, and the limited broadcast: RFC 1112, RFC 919
];

/// All that has been given out as global unicast (RFC 4291). Loopback, unspecified, discard-only (RFC 6666), unique local
/// (RFC 4193; `fd00:ec2::254` is one), link-local, segment routing (RFC 9602) and multicast lie outside it.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What isn't public of that.
const SPECIAL_V6: [(Ipv6Addr, u32); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // Teredo, ORCHID, benchmarks: RFC 2928
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation: RFC 3849
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4, given up, whatever it embeds: RFC 7526
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112: RFC 7534
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation: RFC 9637
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within =
        |(network, length): (Ipv4Addr, u32)| (address.to_bits() ^ network.to_bits()) >> (32 - length) == 0;
    !SPECIAL_V4.into_iter().any(within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within =
        |(network, length): (Ipv6Addr, u32)| (address.to_bits() ^ network.to_bits()) >> (128 - length) == 0;
    within(GLOBAL_UNICAST) && !SPECIAL_V6.into_iter().any(within)
}

/// The IPv4 address that is meant by one of IPv6: mapped (RFC 4291), or through a NAT64 (RFC 6052), behind which a network
/// of IPv6 alone sees the whole rest of the internet. The other ways of embedding one are not public, whatever they embed.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., a, b, c, d] = address.octets();
    let is_nat64 = matches!(address.segments(), [0x64, 0xff9b, 0, 0, 0, 0, _, _]);
    address.to_ipv4_mapped().or_else(|| is_nat64.then(|| Ipv4Addr::new(a, b, c, d)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn servers_of_the_internet_are_public() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "52.95.110.1",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2000::1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2600:1f18::1",
            "2a05:d018::1",
            "3ffe:ffff::1",
            "3fff:1000::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(public(address), "{address}");
        }
    }

    #[test]
    fn no_special_address_is_public() {
        for address in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "169.254.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.170",
            "192.0.2.1",
            "192.31.196.1",
            "192.52.193.1",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.0",
            "255.255.255.255",
        ] {
            assert!(!public(address), "{address}");
            for embedding in ["::ffff:", "::", "64:ff9b::", "64:ff9b:1::", "::ffff:0:"] {
                assert!(!public(&format!("{embedding}{address}")), "{embedding}{address}");
            }
        }
        for address in [
            "::",
            "::1",
            "::2",
            "100::1",
            "100:0:0:1::1",
            "1fff:ffff::1",
            "64:ff9b:1::8.8.8.8",
            "::8.8.8.8",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::",
            "2002:808:808::",
            "2620:4f:8000::1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ffff::1",
        ] {
            assert!(!public(address), "{address}");
        }
    }

    proptest! {
        /// The standard library's own classes, as far as it has them, are an oracle that we can't have miscopied.
        #[test]
        fn what_the_standard_library_calls_special_is_not_public(bits: u32, high in 0_u32..256) {
            for address in [Ipv4Addr::from_bits(bits), Ipv4Addr::from_bits(bits >> 8 | high << 24)] {
                let special = address.is_private() || address.is_loopback() || address.is_link_local()
                    || address.is_multicast() || address.is_broadcast() || address.is_documentation()
                    || address.is_unspecified();
                prop_assert!(!(special && is_public(address.into())), "{}", address);
                prop_assert_eq!(is_public(address.into()), is_public(address.to_ipv6_mapped().into()));
            }
        }
    }
}
