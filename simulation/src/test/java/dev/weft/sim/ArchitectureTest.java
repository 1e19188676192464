package dev.weft.sim;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** A simulation is a function: nothing in it reaches for files, sockets, threads, clocks or the cluster. */
@AnalyzeClasses(packages = "dev.weft.sim", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule DOES_NO_IO = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "java.io..",
                    "java.net..",
                    "java.nio.file..",
                    "java.nio.channels..",
                    "java.util.concurrent..",
                    "org.apache.zookeeper..",
                    "org.apache.curator..",
                    "akka..",
                    "io.netty..",
                    "org.slf4j..");

    @ArchTest
    static final ArchRule STARTS_NO_THREADS =
            noClasses().should().dependOnClassesThat().belongToAnyOf(Thread.class, ThreadLocal.class);

    @ArchTest
    static final ArchRule HAS_NO_CLOCK_OF_ITS_OWN = noClasses()
            .should()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .dependOnClassesThat()
            .haveNameMatching("java\\.time\\.(Instant|Clock)|dev\\.weft\\.base\\.NanoClock");

    @ArchTest
    static final ArchRule ROLLS_NO_DICE =
            noClasses().should().dependOnClassesThat().resideInAnyPackage("java.util.random..", "java.security..");
}
