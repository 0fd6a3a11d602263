package io.gpusnap.node.engine;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "io.gpusnap.node", importOptions = ImportOption.DoNotIncludeTests.class)
class NativeCallsTest {

    @ArchTest
    static final ArchRule nativeCallsAreMadeByTheBindingAlone = noClasses()
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.lang.foreign.Linker")
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.lang.foreign.SymbolLookup")
            .because("the daemon has memory segments, gpu-native has the functions (docs/decisions/0038)");
}
