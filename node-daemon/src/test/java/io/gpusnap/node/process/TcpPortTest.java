package io.gpusnap.node.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.awaitility.Awaitility;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may listen on a port whose last listener is gone, its connections not. */
class TcpPortTest {

    private final ProcFs proc = new ProcFs();

    @ParameterizedTest
    @CsvSource({"tcp, 127.0.0.1, 127.0.0.1", "tcp, 127.0.0.1, 0.0.0.0", "tcp6, ::1, ::1"})
    void aPortIsHeldWhileConnectionsCloseThatDidNotReuseAddresses(String protocol, String address, String asked)
            throws Exception {
        // given
        try (Connection connection = new Connection(address, false)) {
            TcpPort port = new TcpPort(protocol, asked, connection.port());
            assertThat(port.isHeldByClosingConnections(proc)).isFalse(); // they live
            // when
            connection.closeTheServersEnd();
            // then
            assertThat(port.isHeldByClosingConnections(proc)).isTrue();
            connection.reset();
            Awaitility.await().until(() -> !port.isHeldByClosingConnections(proc));
        }
    }

    @ParameterizedTest
    @CsvSource({"tcp, 127.0.0.1", "tcp6, ::1"})
    void closingConnectionsThatReusedAddressesAreInNobodysWay(String protocol, String address) throws Exception {
        try (Connection connection = new Connection(address, true)) {
            connection.closeTheServersEnd();
            TcpPort port = new TcpPort(protocol, address, connection.port());
            assertThat(port.isHeldByClosingConnections(proc)).isFalse();
        }
    }

    private static final class Connection implements AutoCloseable {

        private final ServerSocket listener = new ServerSocket();
        private final Socket client;
        private final Socket accepted;

        Connection(String address, boolean reuse) throws Exception {
            listener.setReuseAddress(reuse);
            listener.bind(new InetSocketAddress(InetAddress.getByName(address), 0));
            client = new Socket(address, listener.getLocalPort());
            accepted = listener.accept();
        }

        int port() {
            return listener.getLocalPort();
        }

        void closeTheServersEnd() throws Exception {
            listener.close();
            accepted.close();
        }

        void reset() throws Exception {
            client.setSoLinger(true, 0);
            client.close();
        }

        @Override
        public void close() throws Exception {
            if (!client.isClosed()) {
                reset();
            }
            closeTheServersEnd();
        }
    }
}
