package io.gpusnap.service.security;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.platform.problem.ProblemWriter;
import io.gpusnap.service.testing.ServiceTest;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.QueryTimeoutException;
import org.springframework.mock.web.MockFilterChain;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;
import org.springframework.transaction.CannotCreateTransactionException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@ServiceTest
class BearerTokenFilterTest {
    @Autowired
    private ProblemWriter problems;

    @TempDir
    private Path folder;

    @Test
    void aDatabaseThatFailsWhileADaemonIsLetInIsAProblemThatSaysWhenToTryAgain() throws Exception {
        for (RuntimeException failure : new RuntimeException[] {
            new DataAccessResourceFailureException("no connection"),
            new CannotCreateTransactionException("no connection"),
            new QueryTimeoutException("too slow")
        }) {
            // given
            NodeSessions failing = token -> {
                throw failure;
            };
            BearerTokenFilter filter =
                    new BearerTokenFilter(AccessToken.in(folder.resolve("access-token")), failing, problems);
            MockHttpServletRequest request = new MockHttpServletRequest("POST", "/node/v1/nodes/1/heartbeats");
            request.addHeader("Authorization", "Bearer gpusnap-node." + UUID.randomUUID() + ".1." + "A".repeat(43));
            MockHttpServletResponse response = new MockHttpServletResponse();
            MockFilterChain chain = new MockFilterChain();

            // when
            filter.doFilter(request, response, chain);

            // then it goes no further
            assertThat(chain.getRequest()).isNull();
            assertThat(response.getStatus()).isEqualTo(503);
            assertThat(response.getHeader("Retry-After")).isEqualTo("1");
            assertThat(response.getContentType()).startsWith("application/problem+json");
            JsonNode problem = JsonMapper.shared().readTree(response.getContentAsByteArray());
            assertThat(problem.path("code").asString()).isEqualTo("DATABASE_UNAVAILABLE");
        }
    }
}
