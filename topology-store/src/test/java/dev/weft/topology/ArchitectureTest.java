package dev.weft.topology;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "dev.weft", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule BASE_DOES_NO_INPUT_OR_OUTPUT = noClasses()
            .that()
            .resideInAPackage("dev.weft.base")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "java.io..", "java.nio..", "java.util.concurrent..", "org.slf4j..", "org.apache..", "com.google..")
            .because("base holds values only");

    @ArchTest
    static final ArchRule BASE_KNOWS_NO_OTHER_ROOM = classes()
            .that()
            .resideInAPackage("dev.weft.base")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("dev.weft.base", "java..", "org.jspecify..");

    @ArchTest
    static final ArchRule TOPOLOGY_KNOWS_ONLY_BASE = noClasses()
            .that()
            .resideInAPackage("dev.weft.topology..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "dev.weft.state..",
                    "dev.weft.sim..",
                    "dev.weft.datapath..",
                    "dev.weft.agent..",
                    "akka..",
                    "io.netty..")
            .because("modules depend only on those to their left");

    @ArchTest
    static final ArchRule CLOCKS_COME_IN_FROM_OUTSIDE = noClasses()
            .that()
            .resideInAPackage("dev.weft.topology")
            .should()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis");
}
