package io.gpusnap.node.process;

import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.util.Set;

/**
 * A local TCP port of this process's network namespace.
 *
 * @param protocol tcp or tcp6
 * @param address numeric; 0.0.0.0 and :: mean every one
 */
public record TcpPort(String protocol, String address, int port) {

    /** FIN_WAIT1, FIN_WAIT2, TIME_WAIT, LAST_ACK, CLOSING: as /proc prints them. */
    private static final Set<String> CLOSING = Set.of("04", "05", "06", "09", "0B");

    private static final String NOBODYS = "0";

    /**
     * Whether nobody can listen here because connections of the port that no process holds any more are still closing: those of a
     * server that did not set SO_REUSEADDR, for a minute after its end. Where it did, they are in nobody's way.
     */
    public boolean isHeldByClosingConnections(ProcFs proc) throws IOException {
        return hasClosingConnections(proc) && !canBeBound();
    }

    private boolean hasClosingConnections(ProcFs proc) {
        int self = (int) ProcessHandle.current().pid();
        for (String table : Set.of("tcp", "tcp6")) {
            for (String line : proc.netTable(self, table)) {
                String[] fields = line.trim().split("\\s+");
                if (fields.length > 9
                        && CLOSING.contains(fields[3])
                        && fields[9].equals(NOBODYS)
                        && Integer.parseInt(fields[1].split(":")[1], 16) == port) {
                    return true;
                }
            }
        }
        return false;
    }

    /** As CRIU binds it; nothing listens, so nobody is answered. */
    private boolean canBeBound() throws IOException {
        ProtocolFamily family = protocol.equals("tcp6") ? StandardProtocolFamily.INET6 : StandardProtocolFamily.INET;
        try (SocketChannel socket = SocketChannel.open(family)) {
            socket.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            socket.setOption(StandardSocketOptions.SO_REUSEPORT, true);
            socket.bind(new InetSocketAddress(address, port));
            return true;
        } catch (BindException e) {
            return false;
        }
    }
}
