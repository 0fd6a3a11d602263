package io.gpusnap.service.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gpusnap.service.platform.config.BadConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AccessTokenTest {
    @TempDir
    private Path folder;

    @Test
    void theFirstStartMakesATokenAndShowsItOnATerminalAloneTheLaterOnesKeepItAndDoNot() throws IOException {
        Path file = folder.resolve("access-token");

        AccessToken first = AccessToken.in(file);
        AccessToken second = AccessToken.in(file);

        String value = Files.readString(file).strip();
        assertThat(value).hasSize(43);
        assertThat(first.announcement(true)).isEqualTo("Access token: " + value);
        assertThat(first.announcement(false)).contains(file.toString()).doesNotContain(value);
        assertThat(second.announcement(true)).contains(file.toString()).doesNotContain(value);
        assertThat(second.matches(value)).isTrue();
        assertThat(second.matches(value + "x")).isFalse();
        assertThat(second.matches("")).isFalse();
        assertThat(first).asString().doesNotContain(value);
    }

    @Test
    void aTokenThatOthersCanReadStopsTheStart() throws IOException {
        Path file = folder.resolve("access-token");
        AccessToken.in(file);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));

        assertThatThrownBy(() -> AccessToken.in(file))
                .isInstanceOf(BadConfigurationException.class)
                .hasMessageContaining("chmod 600");
    }

    @Test
    void aFileWithoutATokenStopsTheStart() throws IOException {
        Path file = folder.resolve("access-token");
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));

        assertThatThrownBy(() -> AccessToken.in(file))
                .isInstanceOf(BadConfigurationException.class)
                .hasMessageContaining("holds no token");
    }
}
