package io.gpusnap.node.tier.s3;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hc.client5.http.DnsResolver;

/**
 * Resolves a name for a connection that is about to be made, and answers with allowed addresses only. What was checked is what is
 * connected to: a name that stands for something else the next moment gains nothing.
 */
final class CheckedNames implements DnsResolver {

    /** Where names are looked up. */
    @FunctionalInterface
    interface Lookup {
        InetAddress[] all(String host) throws UnknownHostException;
    }

    /** An address was looked up and refused; not a name that is unknown. */
    static final class RefusedAddressException extends UnknownHostException {
        private static final long serialVersionUID = 1;

        RefusedAddressException(String message) {
            super(message);
        }
    }

    private final AddressRules rules;
    private final Lookup lookup;

    CheckedNames(AddressRules rules, Lookup lookup) {
        this.rules = rules;
        this.lookup = lookup;
    }

    @Override
    public InetAddress[] resolve(String host) throws UnknownHostException {
        List<InetAddress> allowed = new ArrayList<>();
        List<String> refusals = new ArrayList<>();
        for (InetAddress address : lookup.all(host)) {
            rules.refusal(address).ifPresentOrElse(refusals::add, () -> allowed.add(address));
        }
        if (allowed.isEmpty()) {
            throw new RefusedAddressException(host + " is not connected to: " + String.join("; ", refusals));
        }
        return allowed.toArray(InetAddress[]::new);
    }

    @Override
    public String resolveCanonicalHostname(String host) {
        return host;
    }
}
