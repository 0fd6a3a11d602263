package io.gpusnap.service.platform.openapi;

import io.gpusnap.service.platform.id.HistoryId;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.RecoveryId;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.id.RolloutId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.VersionId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.swagger.v3.oas.models.Components;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.info.Info;
import io.swagger.v3.oas.models.info.License;
import io.swagger.v3.oas.models.media.StringSchema;
import io.swagger.v3.oas.models.security.SecurityRequirement;
import io.swagger.v3.oas.models.security.SecurityScheme;
import io.swagger.v3.oas.models.servers.Server;
import java.util.List;
import org.springdoc.core.models.GroupedOpenApi;
import org.springdoc.core.utils.SpringDocUtils;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Two published descriptions: one for callers, one for daemons. */
@Configuration(proxyBeanMethods = false)
class OpenApiConfiguration {
    private static final String BEARER = "bearer";

    static {
        List.of(
                        HistoryId.class,
                        NodeId.class,
                        OperationId.class,
                        RecoveryId.class,
                        RestoreId.class,
                        RolloutId.class,
                        SnapshotId.class,
                        VersionId.class,
                        WorkloadId.class)
                .forEach(id -> SpringDocUtils.getConfig().replaceWithSchema(id, new StringSchema().format("uuid")));
    }

    @Bean
    OpenAPI openApi() {
        return new OpenAPI()
                .servers(List.of(new Server().url("/").description("This service")))
                .components(
                        new Components()
                                .addSecuritySchemes(
                                        BEARER,
                                        new SecurityScheme()
                                                .type(SecurityScheme.Type.HTTP)
                                                .scheme("bearer")
                                                .description(
                                                        "The access token that the first start prints; daemons use their session token")))
                .addSecurityItem(new SecurityRequirement().addList(BEARER));
    }

    @Bean
    GroupedOpenApi controlPlaneApi(OperationDescriber describer, ExampleDescriber examples) {
        return GroupedOpenApi.builder()
                .group("control-plane")
                .displayName("Control plane")
                .pathsToMatch("/api/v1/**", "/errors/**")
                .addOperationCustomizer(describer)
                .addOperationCustomizer(examples)
                .addOpenApiCustomizer(OperationDescriber::addSchemas)
                .addOpenApiCustomizer(
                        api -> api.info(
                                info(
                                        "gpusnap control plane",
                                        "Snapshots of warm GPU services: take them, keep them by model and version, thaw them in seconds.")))
                .build();
    }

    @Bean
    GroupedOpenApi nodeApi(OperationDescriber describer, ExampleDescriber examples) {
        return GroupedOpenApi.builder()
                .group("node")
                .displayName("Node daemons")
                .pathsToMatch("/node/v1/**")
                .addOperationCustomizer(describer)
                .addOperationCustomizer(examples)
                .addOpenApiCustomizer(OperationDescriber::addSchemas)
                .addOpenApiCustomizer(
                        api -> api.info(
                                info(
                                        "gpusnap node API",
                                        "How a node daemon registers, reports, and works on operations. Daemons pull; the service never calls a "
                                                + "node. Unknown fields are ignored here, so that daemons may be newer than the service.")))
                .build();
    }

    private static Info info(String title, String description) {
        return new Info().title(title).description(description).version("v1").license(new License().name("Apache-2.0"));
    }
}
