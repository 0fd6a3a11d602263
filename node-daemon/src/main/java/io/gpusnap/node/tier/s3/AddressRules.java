package io.gpusnap.node.tier.s3;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which addresses a store's host name may stand for. The daemon is privileged and holds credentials, and a name can be made to
 * stand for anything; so what is checked is the address that is then connected to, not the name. Public addresses are allowed;
 * loopback and private ones only where the settings name their range. Link-local ones, where clouds hand out credentials of the
 * machine, and those that are no host's, never are.
 */
public final class AddressRules {

    private record Range(byte[] network, int bits, String text) {

        boolean holds(InetAddress address) {
            byte[] bytes = address.getAddress();
            if (bytes.length != network.length) {
                return false;
            }
            for (int bit = 0; bit < bits; bit++) {
                int mask = 0x80 >> (bit % 8);
                if ((bytes[bit / 8] & mask) != (network[bit / 8] & mask)) {
                    return false;
                }
            }
            return true;
        }
    }

    /** A metadata service that is not at a link-local address. */
    private static final List<Range> NEVER =
            List.of(range("fd00:ec2::254/128"), range("100.100.100.200/32"), range("168.63.129.16/32"));

    private static final List<Range> PRIVATE =
            List.of(range("fc00::/7"), range("100.64.0.0/10"), range("192.0.0.0/24"), range("198.18.0.0/15"));

    private final List<Range> allowed;

    private AddressRules(List<Range> allowed) {
        this.allowed = List.copyOf(allowed);
    }

    /** @throws IllegalArgumentException when one is no range such as 10.0.0.0/8, or no address */
    public static AddressRules allowing(List<String> ranges) {
        List<Range> parsed = new ArrayList<>();
        ranges.forEach(text -> parsed.add(range(text)));
        return new AddressRules(parsed);
    }

    public static AddressRules publicOnly() {
        return new AddressRules(List.of());
    }

    private static Range range(String text) {
        String[] parts = text.strip().split("/", -1);
        // Only literals: a name here would be resolved.
        if (parts.length > 2 || !parts[0].matches("[0-9a-fA-F:.]+") || !parts[0].matches(".*[:.].*")) {
            throw notARange(text, null);
        }
        try {
            byte[] network = InetAddress.getByName(parts[0]).getAddress();
            int bits = parts.length == 2 ? Integer.parseInt(parts[1]) : network.length * 8;
            if (bits < 0 || bits > network.length * 8) {
                throw notARange(text, null);
            }
            return new Range(network, bits, text);
        } catch (UnknownHostException | NumberFormatException e) {
            throw notARange(text, e);
        }
    }

    private static IllegalArgumentException notARange(String text, @org.jspecify.annotations.Nullable Exception cause) {
        return new IllegalArgumentException(text + " is no range of addresses; write it like 10.0.0.0/8", cause);
    }

    /** Why an address is refused; empty when it is allowed. */
    Optional<String> refusal(InetAddress address) {
        String text = address.getHostAddress();
        if (address.isLinkLocalAddress() || address.isAnyLocalAddress() || address.isMulticastAddress()) {
            return Optional.of(text + " is link-local or no host's address, which is never allowed");
        }
        InetAddress inner = embedded(address);
        if (!inner.equals(address)) {
            return refusal(inner);
        }
        if (NEVER.stream().anyMatch(range -> range.holds(address))) {
            return Optional.of(text + " is a cloud's metadata service, which is never allowed");
        }
        boolean inside = address.isLoopbackAddress()
                || address.isSiteLocalAddress()
                || PRIVATE.stream().anyMatch(range -> range.holds(address));
        if (inside && allowed.stream().noneMatch(range -> range.holds(address))) {
            return Optional.of(
                    text + " is loopback or private; allow its range with s3.allowedAddresses if it is meant");
        }
        return Optional.empty();
    }

    /** An IPv4 address that an IPv6 one stands for: NAT64, 6to4, or the old compatible form. */
    private static InetAddress embedded(InetAddress address) {
        if (!(address instanceof Inet6Address)) {
            return address;
        }
        byte[] bytes = address.getAddress();
        int at = -1;
        if (startsWith(bytes, 0x00, 0x64, 0xff, 0x9b) || isCompatible(bytes)) {
            at = 12;
        } else if (startsWith(bytes, 0x20, 0x02)) {
            at = 2;
        }
        if (at < 0) {
            return address;
        }
        try {
            return InetAddress.getByAddress(new byte[] {bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]});
        } catch (UnknownHostException e) {
            throw new IllegalStateException("four bytes are an address", e);
        }
    }

    private static boolean isCompatible(byte[] bytes) {
        for (int i = 0; i < 12; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return bytes[12] != 0;
    }

    private static boolean startsWith(byte[] bytes, int... start) {
        for (int i = 0; i < start.length; i++) {
            if ((bytes[i] & 0xff) != start[i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return "public addresses"
                + (allowed.isEmpty()
                        ? ""
                        : " and "
                                + String.join(
                                        ", ", allowed.stream().map(Range::text).toList()));
    }
}
