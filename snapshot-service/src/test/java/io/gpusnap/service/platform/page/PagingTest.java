package io.gpusnap.service.platform.page;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

@ServiceTest
class PagingTest {
    @Autowired
    private Api api;

    @Test
    void followingTheTokensGivesEveryRowOnceInOrder() {
        // given a model with 7 versions
        Catalogue catalogue = Catalogue.create(api);
        String versions = "/api/v1/models/" + catalogue.model() + "/versions";
        for (int i = 2; i <= 7; i++) {
            api.once().post(versions, Map.of("name", "v" + i)).expect(201);
        }

        // when they are listed 3 at a time, while another one is added in between
        List<String> seen = new ArrayList<>();
        String token = "";
        int pages = 0;
        do {
            Reply page = api.get(versions + "?pageSize=3&pageToken=" + token).expect(200);
            page.json().path("items").forEach(item -> seen.add(item.path("name").asString()));
            token = page.json().path("nextPageToken").asString("");
            pages++;
            if (pages == 1) {
                api.once().post(versions, Map.of("name", "late")).expect(201);
            }
        } while (!token.isEmpty());

        // then each is there once, newest first, and the late one does not disturb
        assertThat(seen).containsExactly("v7", "v6", "v5", "v4", "v3", "v2", "v1");
        assertThat(pages).isEqualTo(3);
    }

    @Test
    void modelsPageByName() {
        String mark = "page-" + System.nanoTime();
        for (String name : List.of(mark + "-b", mark + "-a", mark + "-c")) {
            api.once().post("/api/v1/models", Map.of("name", name)).expect(201);
        }

        List<String> seen = new ArrayList<>();
        String token = "";
        do {
            Reply page = api.get("/api/v1/models?pageSize=1&pageToken=" + token).expect(200);
            page.json().path("items").forEach(item -> seen.add(item.path("name").asString()));
            token = page.json().path("nextPageToken").asString("");
        } while (!token.isEmpty());

        assertThat(seen.stream().filter(name -> name.startsWith(mark)))
                .containsExactly(mark + "-a", mark + "-b", mark + "-c");
    }

    @Test
    void aTokenOfAnotherListingOrWithOtherFiltersIsRefused() {
        // given a token of the models
        String mark = "token-" + System.nanoTime();
        api.once().post("/api/v1/models", Map.of("name", mark + "-a")).expect(201);
        api.once().post("/api/v1/models", Map.of("name", mark + "-b")).expect(201);
        String token = api.get("/api/v1/models?pageSize=1")
                .json()
                .path("nextPageToken")
                .asString();

        // when it is used elsewhere, or changed, then it is refused
        assertThat(api.get("/api/v1/nodes?pageToken=" + token).code()).isEqualTo("INVALID_PAGE_TOKEN");
        assertThat(api.get("/api/v1/models?pageToken=x" + token).code()).isEqualTo("INVALID_PAGE_TOKEN");
        assertThat(api.get("/api/v1/models?pageToken=%C3%A9").code()).isEqualTo("INVALID_PAGE_TOKEN");
        assertThat(api.get("/api/v1/models?pageToken=" + token).status()).isEqualTo(200);
    }
}
