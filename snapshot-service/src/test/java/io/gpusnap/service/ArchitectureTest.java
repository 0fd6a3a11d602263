package io.gpusnap.service;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import jakarta.persistence.Entity;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.util.Set;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.validation.annotation.Validated;
import org.springframework.web.bind.annotation.RestController;

@AnalyzeClasses(packages = "io.gpusnap.service", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final String ROOT = "io.gpusnap.service.";

    /** Classes of these features and of the libraries. */
    private static DescribedPredicate<JavaClass> featuresOtherThan(String... allowed) {
        Set<String> names = Set.of(allowed);
        return DescribedPredicate.describe("features other than " + names, type -> {
            if (!type.getPackageName().startsWith(ROOT)) {
                return false;
            }
            String feature = type.getPackageName().substring(ROOT.length()).replaceAll("\\..*", "");
            return !names.contains(feature);
        });
    }

    private static ArchRule only(String feature, String reason, String... allowed) {
        return noClasses()
                .that()
                .resideInAPackage(ROOT + feature + "..")
                .should()
                .dependOnClassesThat(featuresOtherThan(allowed))
                .because(reason);
    }

    @ArchTest
    static final ArchRule platform =
            only("platform", "everything stands on it, so it stands on nothing of ours", "platform");

    @ArchTest
    static final ArchRule security =
            only("security", "who calls is decided before any feature is asked", "security", "platform");

    @ArchTest
    static final ArchRule node =
            only("node", "other features hear of heartbeats through its ports", "node", "security", "platform");

    @ArchTest
    static final ArchRule workload =
            only("workload", "a workload is what a node reported", "workload", "node", "platform");

    @ArchTest
    static final ArchRule operation = only(
            "operation",
            "what an operation is about, its owner knows (OperationOutcomes)",
            "operation",
            "node",
            "security",
            "platform");

    @ArchTest
    static final ArchRule model = only("model", "the catalogue begins with it", "model", "platform");

    @ArchTest
    static final ArchRule version =
            only("version", "what needs a version says so through its port", "version", "model", "platform");

    @ArchTest
    static final ArchRule snapshot = only(
            "snapshot",
            "snapshots know nothing of who restores them",
            "snapshot",
            "version",
            "workload",
            "operation",
            "tier",
            "node",
            "platform");

    @ArchTest
    static final ArchRule tier = only(
            "tier",
            "a store keeps objects for whoever needs them, by id, and knows nothing of snapshots",
            "tier",
            "operation",
            "node",
            "platform");

    @ArchTest
    static final ArchRule policy = only(
            "policy",
            "policies decide about snapshots and stores, and ask for moves; a forecast is told by a port",
            "policy",
            "snapshot",
            "tier",
            "operation",
            "node",
            "platform");

    @ArchTest
    static final ArchRule restore = only(
            "restore",
            "a decision looks at everything that can come back, and knows of no one who asks for it",
            "restore",
            "snapshot",
            "version",
            "workload",
            "operation",
            "node",
            "platform");

    @ArchTest
    static final ArchRule scaling = only(
            "scaling",
            "autoscalers are told of demand and of nothing else; callers over gRPC have certificates, not tokens",
            "scaling",
            "forecast",
            "security",
            "platform");

    @ArchTest
    static final ArchRule rollout = only(
            "rollout",
            "it moves aliases and is asked by restores through their port; nodes are not its matter",
            "rollout",
            "restore",
            "version",
            "platform");

    @ArchTest
    static final ArchRule fanout = only(
            "fanout", "it tells nodes of each other, and decides nothing", "fanout", "node", "security", "platform");

    @ArchTest
    static final ArchRule recovery = only(
            "recovery",
            "it has restores done again, and decides nothing itself",
            "recovery",
            "restore",
            "node",
            "platform");

    @ArchTest
    static final ArchRule forecast = only(
            "forecast",
            "a forecast is asked by whoever decides, through the port that decisions have for it",
            "forecast",
            "policy",
            "tier",
            "snapshot",
            "version",
            "model",
            "workload",
            "operation",
            "node",
            "platform");

    @ArchTest
    static final ArchRule prefetch = only(
            "prefetch",
            "it asks for copies ahead of restores, and nobody asks it",
            "prefetch",
            "snapshot",
            "version",
            "operation",
            "platform");

    @ArchTest
    static final ArchRule kubernetes = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + "kubernetes..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(ROOT + "kubernetes..", "io.fabric8..")
            .because("the control plane is whole without a cluster; Kubernetes is one of its callers");

    @ArchTest
    static final ArchRule scheduleCore = noClasses()
            .that()
            .resideInAnyPackage(ROOT + "schedule.core..", ROOT + "forecast.prefetch..", ROOT + "forecast.backtest..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.springframework..", "java.sql..")
            .because("what a simulation or a backtest runs is what the service runs");

    @ArchTest
    static final ArchRule noCycles = slices().matching(ROOT + "(*)..")
            .should()
            .beFreeOfCycles()
            .because("a feature can be read, tested and replaced alone only so");

    @ArchTest
    static final ArchRule noCyclesInThePlatform = slices().matching(ROOT + "platform.(*)..")
            .should()
            .beFreeOfCycles()
            .because("the platform is a set of parts, not one lump");

    @ArchTest
    static final ArchRule nobodyImportsWeb = noClasses()
            .that()
            .resideOutsideOfPackage("..web..")
            .should()
            .dependOnClassesThat(DescribedPredicate.describe(
                    "are in a feature's web package",
                    type -> type.getPackageName().startsWith(ROOT)
                            && type.getPackageName().endsWith(".web")
                            && !type.getPackageName().contains(".platform.")))
            .because("HTTP is a way into a feature, never a part of it");

    @ArchTest
    static final ArchRule controllers = classes()
            .that()
            .areAnnotatedWith(RestController.class)
            .should()
            .notBePublic()
            .andShould()
            .resideInAnyPackage("..web", "..platform.problem")
            .because("a controller is reached by HTTP and by nothing else");

    @ArchTest
    static final ArchRule entitiesGuardTheirTransitions = methods()
            .that()
            .areDeclaredInClassesThat()
            .areAnnotatedWith(Entity.class)
            .and()
            .haveRawReturnType(void.class)
            .should()
            .notBePublic()
            .because("what changes an entity is a checked transition that only its feature calls");

    @ArchTest
    static final ArchRule settings = classes()
            .that()
            .areAnnotatedWith(ConfigurationProperties.class)
            .should()
            .beRecords()
            .andShould()
            .beAnnotatedWith(Validated.class)
            .because("a bad value must stop the start and name its property");

    @ArchTest
    static final ArchRule timeIsTheDatabases = noClasses()
            .should()
            .callMethod(Instant.class, "now")
            .orShould()
            .callMethod(OffsetDateTime.class, "now")
            .orShould()
            .callMethod(ZonedDateTime.class, "now")
            .orShould()
            .callMethod(LocalDateTime.class, "now")
            .orShould()
            .dependOnClassesThat()
            .areAssignableTo(Clock.class)
            .because("clocks of replicas and daemons differ; leases and ages are decided by one clock");

    @ArchTest
    static final ArchRule printing = noClasses()
            .that()
            .doNotHaveSimpleName("StartAnnouncement")
            .and()
            .doNotHaveSimpleName("Commands")
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err")
            .because("the log is where messages go; only the start and commands speak to the terminal");

    @ArchTest
    static final ArchRule ids = classes()
            .that()
            .resideInAPackage("..platform.id")
            .and()
            .haveSimpleNameEndingWith("Id")
            .should()
            .beRecords()
            .andShould()
            .haveModifier(JavaModifier.PUBLIC)
            .because("an id is a value with a type of its own");
}
