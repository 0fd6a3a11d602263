package io.gpusnap.node;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.nio.file.Files;

/** The daemon's packages and the arrows between them, each with its reason. */
@AnalyzeClasses(packages = "io.gpusnap.node", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    private static final String ROOT = "io.gpusnap.node.";

    @ArchTest
    static final ArchRule packagesFormNoCycle = slices().matching("io.gpusnap.node.(*)..")
            .should()
            .beFreeOfCycles()
            .because("a package that can be read without the others can be changed without them");

    @ArchTest
    static final ArchRule operationKnowsNoPart = noClasses()
            .that()
            .resideInAPackage(ROOT + "operation..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    ROOT + "agent..",
                    ROOT + "cli..",
                    ROOT + "client..",
                    ROOT + "config..",
                    ROOT + "engine..",
                    ROOT + "inventory..",
                    ROOT + "metrics..",
                    ROOT + "store..",
                    ROOT + "tier..")
            .because("engines, agent and command line all build on it");

    @ArchTest
    static final ArchRule storeKnowsNoOperation = noClasses()
            .that()
            .resideInAnyPackage(ROOT + "store..", ROOT + "tier..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(ROOT + "agent..", ROOT + "cli..", ROOT + "client..", ROOT + "engine..")
            .because("chunks and manifests outlive any way of making them");

    @ArchTest
    static final ArchRule enginesKnowNoService = noClasses()
            .that()
            .resideInAnyPackage(
                    ROOT + "engine..",
                    ROOT + "criu..",
                    ROOT + "process..",
                    ROOT + "transfer..",
                    ROOT + "snapshot..",
                    ROOT + "peer..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    ROOT + "agent..", ROOT + "cli..", ROOT + "client..", ROOT + "config..", ROOT + "metrics..")
            .because("the same stages run under the daemon and by hand");

    @ArchTest
    static final ArchRule clientKnowsOnlyOperations = noClasses()
            .that()
            .resideInAPackage(ROOT + "client..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    ROOT + "agent..",
                    ROOT + "cli..",
                    ROOT + "config..",
                    ROOT + "engine..",
                    ROOT + "store..",
                    ROOT + "tier..")
            .because("its records are the node API, whatever the daemon looks like inside");

    @ArchTest
    static final ArchRule agentKnowsNoEngine = noClasses()
            .that()
            .resideInAPackage(ROOT + "agent..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(ROOT + "engine..", ROOT + "cli..", ROOT + "config..", ROOT + "store..", ROOT + "tier..")
            .because("what a node can do comes in through NodeWork, so leases and fencing are tested without one");

    @ArchTest
    static final ArchRule configKnowsNothing = noClasses()
            .that()
            .resideInAPackage(ROOT + "config..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    ROOT + "agent..",
                    ROOT + "cli..",
                    ROOT + "client..",
                    ROOT + "engine..",
                    ROOT + "inventory..",
                    ROOT + "metrics..",
                    ROOT + "operation..",
                    ROOT + "store..",
                    ROOT + "tier..")
            .because("settings are read before anything exists");

    @ArchTest
    static final ArchRule nobodyCallsTheCommandLine = noClasses()
            .that()
            .resideOutsideOfPackages(ROOT + "cli..", "io.gpusnap.node")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(ROOT + "cli..")
            .because("it puts the parts together, and is one of two ways to use them");

    @ArchTest
    static final ArchRule foldersAreListedInOnePlace = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + "file..")
            .and()
            .doNotHaveFullyQualifiedName(ROOT + "process.ProcFs")
            .should()
            .callMethodWhere(
                    target(owner(type(Files.class))).and(target(nameMatching("newDirectoryStream|list|walk|find"))))
            .because("its errors are IOExceptions; ProcFs takes what the kernel gives of a process that ends");

    @ArchTest
    static final ArchRule noDeserialisationByClassName = noClasses()
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName("com.fasterxml.jackson.annotation.JsonTypeInfo")
            .because("a file or an answer must not choose classes: FactRegistry names them");
}
