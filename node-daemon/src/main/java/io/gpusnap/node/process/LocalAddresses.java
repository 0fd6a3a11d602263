package io.gpusnap.node.process;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The addresses of a network namespace, and those that processes are bound to. */
public final class LocalAddresses {

    private static final String TCP_LISTEN = "0A";

    private LocalAddresses() {}

    /** Every address that a process of this network namespace may bind to, loopback included; numeric. */
    public static Set<String> of(ProcFs proc, int pid) {
        Set<String> addresses = new LinkedHashSet<>();
        String last = "";
        for (String line : proc.netLines(pid, "fib_trie")) {
            String text = line.trim();
            if (text.startsWith("|-- ")) {
                last = text.substring("|-- ".length());
            } else if (text.startsWith("/32 host LOCAL")) {
                addresses.add(last);
            }
        }
        for (String line : proc.netLines(pid, "if_inet6")) {
            addresses.add(TcpListener.plainAddress(line.split("\\s+")[0]));
        }
        return addresses;
    }

    /** Addresses of this namespace alone that the given processes listen or receive on: no wildcard, no loopback. */
    public static List<String> boundBy(ProcFs proc, List<ProcessId> processes) {
        if (processes.isEmpty()) {
            return List.of();
        }
        int pid = processes.getFirst().pid();
        Set<Long> inodes = new SocketOwners(proc).sockets(processes);
        List<String> bound = new ArrayList<>();
        for (String table : List.of("tcp", "tcp6", "udp", "udp6")) {
            boolean onlyListeners = table.startsWith("tcp"); // connections are closed by a thaw, whatever their address
            for (String line : proc.netTable(pid, table)) {
                String[] fields = line.trim().split("\\s+");
                if (fields.length > 9
                        && (!onlyListeners || fields[3].equals(TCP_LISTEN))
                        && inodes.contains(Long.parseLong(fields[9]))) {
                    bound.add(TcpListener.address(fields[1].split(":")[0]));
                }
            }
        }
        return bound.stream()
                .filter(address -> !isEverywhere(address))
                .distinct()
                .toList();
    }

    /** Whether an address exists in every network namespace. */
    public static boolean isEverywhere(String address) {
        return address.equals("0.0.0.0")
                || address.equals("::")
                || address.startsWith("127.")
                || address.equals("0:0:0:0:0:0:0:1");
    }
}
