package io.gpusnap.node.tier.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressRulesTest {

    private final AddressRules everything = AddressRules.allowing(List.of("0.0.0.0/0", "::/0"));

    @ParameterizedTest
    @ValueSource(strings = {"8.8.8.8", "52.216.0.1", "2600:1f18::1"})
    void publicAddressesAreAllowed(String address) throws Exception {
        assertThat(AddressRules.publicOnly().refusal(InetAddress.getByName(address)))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "10.1.2.3",
                "192.168.1.1",
                "172.16.0.1",
                "100.64.0.1",
                "::1",
                "fd12::1",
                "64:ff9b::a01:203"
            })
    void addressesInsideAreAllowedOnlyByTheirRange(String address) throws Exception {
        assertThat(AddressRules.publicOnly().refusal(InetAddress.getByName(address)))
                .isPresent();
        assertThat(everything.refusal(InetAddress.getByName(address))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "169.254.169.254",
                "fd00:ec2::254",
                "100.100.100.200",
                "168.63.129.16",
                "fe80::1",
                "0.0.0.0",
                "::",
                "224.0.0.1",
                "::ffff:169.254.169.254",
                "64:ff9b::169.254.169.254",
                "2002:a9fe:a9fe::1"
            })
    void metadataServicesAreNeverAllowedUnderWhateverForm(String address) throws Exception {
        assertThat(everything.refusal(InetAddress.getByName(address))).isPresent();
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.0/33", "example.org/8", "10.0.0/8/8", "abc", "10.0.0.0/x", ""})
    void whatIsNoRangeIsRefused(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> AddressRules.allowing(List.of(text)));
    }
}
