"""Compiles the generated Kotlin client with the example, where there is no Gradle: `make try-kotlin`.

With Gradle it takes no more than ``gradle build`` in .local/clients/kotlin, which downloads the compiler and the
libraries. Here the compiler, its serialization plugin and kotlinx.serialization are those of the PyPI package
kotlin-jupyter-kernel (requirements/kotlin.txt). OkHttp 4 and Okio are looked up in Maven's local repository.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from examples.clients.generate import HERE, ROOT, GenerateError, run

VENV = ROOT / ".venv-kotlin"
MAVEN = Path.home() / ".m2" / "repository"
PLUGIN = "org.jetbrains.kotlinx.serialization.compiler.extensions"


def compiled(client: Path) -> list[str]:
    """The command that runs Cancel.kt with the client in this folder. Raises GenerateError."""
    jars = sorted(VENV.glob("lib/python*/site-packages/run_kotlin_kernel/jars/*.jar"))
    okhttp = sorted(MAVEN.glob("com/squareup/okhttp3/okhttp/4.*/okhttp-4.*.jar"))
    okio = sorted(MAVEN.glob("com/squareup/okio/okio-jvm/3.*/okio-jvm-3.*.jar"))
    if not jars or not okhttp or not okio:
        raise GenerateError(f"not there: the Kotlin compiler in {VENV}, or OkHttp 4 and Okio 3 in {MAVEN}")
    if not (client / "src").exists():
        raise GenerateError(f"{client} does not exist: make clients")
    libraries = [one for one in jars if one.name.startswith(("kotlin-stdlib", "kotlinx-serialization"))]
    libraries += [okhttp[-1], okio[-1]]
    classpath = os.pathsep.join(map(str, libraries))
    built = client / "build"
    built.mkdir(exist_ok=True)
    # The compiler and its plugin are in one archive, which also registers a scripting plugin that must not be loaded
    # twice. So the serialization plugin is registered by an archive of its own.
    registration = built / "serialization.jar"
    with zipfile.ZipFile(registration, "w") as archive:
        for service, name in (
            ("CompilerPluginRegistrar", "SerializationComponentRegistrar"),
            ("CommandLineProcessor", "SerializationPluginOptions"),
        ):
            archive.writestr(f"META-INF/services/org.jetbrains.kotlin.compiler.plugin.{service}", f"{PLUGIN}.{name}\n")
    run(
        *("java", "-cp", os.pathsep.join(map(str, jars)), "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"),
        *("-no-stdlib", "-no-reflect", "-nowarn", f"-Xplugin={registration}", "-cp", classpath),
        *("-d", built / "client.jar", client / "src" / "main" / "kotlin", HERE / "kotlin" / "Cancel.kt"),
    )
    return ["java", "-cp", f"{built / 'client.jar'}{os.pathsep}{classpath}", "CancelKt"]
