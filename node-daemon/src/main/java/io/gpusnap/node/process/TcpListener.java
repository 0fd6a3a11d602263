package io.gpusnap.node.process;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * A listening TCP socket.
 *
 * @param address numeric; 0.0.0.0 and :: mean every one
 */
public record TcpListener(String protocol, String address, int port, long inode) {

    private static final String LISTEN = "0A";

    /** Every listener in the network namespace of a process. */
    public static List<TcpListener> inNamespaceOf(ProcFs proc, int pid) {
        List<TcpListener> listeners = new ArrayList<>();
        for (String protocol : List.of("tcp", "tcp6")) {
            for (String line : proc.netTable(pid, protocol)) {
                String[] fields = line.trim().split("\\s+");
                if (fields.length > 9 && fields[3].equals(LISTEN)) {
                    String[] local = fields[1].split(":");
                    listeners.add(new TcpListener(
                            protocol, address(local[0]), Integer.parseInt(local[1], 16), Long.parseLong(fields[9])));
                }
            }
        }
        return listeners;
    }

    /** Whether both cannot be bound at once. A wildcard of IPv6 usually takes the IPv4 port too. */
    public boolean conflictsWith(String otherAddress, int otherPort) {
        return port == otherPort && (isWildcard(address) || isWildcard(otherAddress) || address.equals(otherAddress));
    }

    private static boolean isWildcard(String address) {
        return address.equals("0.0.0.0") || address.equals("::");
    }

    /** The kernel prints each 32-bit word in the machine's byte order, which is little endian wherever CUDA runs. */
    static String address(String hex) {
        byte[] words = HexFormat.of().parseHex(hex);
        byte[] bytes = new byte[words.length];
        for (int i = 0; i < words.length; i++) {
            bytes[i] = words[(i & ~3) + 3 - (i & 3)];
        }
        return text(bytes);
    }

    /** Of hex digits in the order of the address. */
    static String plainAddress(String hex) {
        return text(HexFormat.of().parseHex(hex));
    }

    private static String text(byte[] bytes) {
        boolean any = true;
        for (byte b : bytes) {
            any &= b == 0;
        }
        if (any) {
            return bytes.length == 4 ? "0.0.0.0" : "::";
        }
        try {
            return InetAddress.getByAddress(bytes).getHostAddress();
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(
                    "not an address: " + HexFormat.of().formatHex(bytes), e);
        }
    }
}
