package dev.weft.agent;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.conditions.ArchConditions.be;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.codeUnits;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitCallTarget;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import dev.weft.base.HotPath;
import dev.weft.base.NanoClock;
import java.time.Clock;
import java.time.Instant;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.NullMarked;
import org.slf4j.Logger;

/** What the module order alone cannot enforce, over everything that the agent ships. */
@AnalyzeClasses(
        packages = "dev.weft",
        importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureTest.NoTestKits.class})
class ArchitectureTest {
    private static final String GENERATED = "dev.weft.topology.schema..";
    private static final Set<String> BOXES = Set.of(
            "java.lang.Boolean",
            "java.lang.Byte",
            "java.lang.Character",
            "java.lang.Short",
            "java.lang.Integer",
            "java.lang.Long",
            "java.lang.Float",
            "java.lang.Double");

    static final class NoTestKits implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("-tests.jar");
        }
    }

    @ArchTest
    static final ArchRule akkaStaysInTheControlPackage = noClasses()
            .that()
            .resideOutsideOfPackage("dev.weft.agent.control..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("akka..", "scala..")
            .because("Akka is one rename away from being replaced, and never on a packet's path");

    @ArchTest
    static final ArchRule datapathKnowsOfSimulationOnlyWordsAndPackets = noClasses()
            .that()
            .resideInAPackage("dev.weft.datapath..")
            .should()
            .dependOnClassesThat(resideInAnyPackage("dev.weft..")
                    .and(not(resideInAnyPackage(
                            "dev.weft.datapath..", "dev.weft.sim.flow", "dev.weft.sim.packet", "dev.weft.base"))))
            .because("a datapath never decides where a packet goes");

    @ArchTest
    static final ArchRule onlyTheLabStartsProcesses = noClasses()
            .that()
            .resideOutsideOfPackages("dev.weft.agent.lab..", "dev.weft.agent.demo..")
            .should()
            .dependOnClassesThat()
            .areAssignableTo(ProcessBuilder.class)
            .orShould()
            .callMethodWhere(calls(Runtime.class, "exec"))
            .because("the agent never shells out: netlink goes through the foreign function interface");

    @ArchTest
    static final ArchRule nobodySleeps = noClasses()
            .should()
            .callMethodWhere(calls(Thread.class, "sleep"))
            .because("a thread waits for a condition, with a deadline");

    @ArchTest
    static final ArchRule timeComesThroughTheClock = noClasses()
            .that()
            .areNotAssignableTo(NanoClock.class)
            .should()
            .callMethodWhere(calls(System.class, "nanoTime")
                    .or(calls(System.class, "currentTimeMillis"))
                    .or(calls(Instant.class, "now"))
                    .or(calls(Clock.class, "systemUTC")))
            .because("tests move the time by hand");

    @ArchTest
    static final ArchRule chanceComesThroughTheConstructor = noClasses()
            .should()
            .callMethodWhere(calls(ThreadLocalRandom.class, "current"))
            .orShould()
            .callMethodWhere(calls(Math.class, "random"))
            .orShould()
            .callConstructor(Random.class)
            .because("every run can be replayed from its seed");

    @ArchTest
    static final ArchRule everyPackageHasAnEssayAndSaysWhatMayBeNull = classes()
            .that()
            .resideOutsideOfPackage(GENERATED)
            .should()
            .resideInAPackage("dev.weft..")
            .andShould(be(describe(
                    "in a @NullMarked package",
                    (JavaClass type) -> type.getPackage().isAnnotatedWith(NullMarked.class))));

    @ArchTest
    static final ArchRule theHotPathNeitherBoxesNorLogsNorStreams = codeUnits()
            .that(areHot())
            .should(new ArchCondition<JavaCodeUnit>("call nothing that allocates, logs or boxes") {
                @Override
                public void check(JavaCodeUnit unit, ConditionEvents events) {
                    for (JavaMethodCall call : unit.getMethodCallsFromSelf()) {
                        // A type that is marked may be built and changed by slower methods.
                        boolean itself = unit.isAnnotatedWith(HotPath.class);
                        if (isSlow(call.getTarget()) || itself && isGarbage(call.getTarget())) {
                            events.add(SimpleConditionEvent.violated(call, call.getDescription()));
                        }
                    }
                }
            })
            .because("a worker in its steady state allocates nothing and takes no lock");

    private static DescribedPredicate<JavaCodeUnit> areHot() {
        return describe(
                "are marked @HotPath",
                unit -> unit.isAnnotatedWith(HotPath.class) || unit.getOwner().isAnnotatedWith(HotPath.class));
    }

    private static boolean isSlow(CodeUnitCallTarget target) {
        JavaClass owner = target.getOwner();
        boolean formats = owner.isEquivalentTo(String.class)
                && (target.getName().equals("format") || target.getName().equals("formatted"));
        return formats || owner.isAssignableTo(Logger.class) || owner.isAssignableTo(Lock.class);
    }

    private static boolean isGarbage(CodeUnitCallTarget target) {
        JavaClass owner = target.getOwner();
        boolean boxes = BOXES.contains(owner.getName()) && target.getName().equals("valueOf");
        return boxes
                || owner.isEquivalentTo(Optional.class)
                || owner.getPackageName().startsWith("java.util.stream");
    }

    private static DescribedPredicate<JavaCall<?>> calls(Class<?> owner, String method) {
        return describe(
                "calls " + owner.getSimpleName() + "." + method,
                call -> call.getTargetOwner().isAssignableTo(owner)
                        && call.getTarget().getName().equals(method));
    }
}
