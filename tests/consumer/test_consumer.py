# SPDX-License-Identifier: Apache-2.0
"""A C++ program finds the installed prefix, the wheel, the source tree and an archive, and builds; compiled and header-only."""

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import offray
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def eigen_prefix():
    return run(sys.executable, "-m", "cmeel", "cmake").strip()


@pytest.fixture(scope="module")
def prefix(tmp_path_factory, eigen_prefix):
    folder = tmp_path_factory.mktemp("prefix")
    run("cmake", "-S", ROOT, "-B", folder / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={eigen_prefix}")
    run("cmake", "--install", folder / "build", "--prefix", folder)
    return folder


def cost(*command):
    """Seconds of processor time and megabytes at the peak of one process, those that it started included."""
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)  # it has been waited for
    assert process.returncode == 0
    return used.ru_utime + used.ru_stime, used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "offray.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name in ("CMakeLists.txt", "cpp"):
            tar.add(ROOT / name, f"offray/{name}")
    return path


@pytest.fixture
def ways(prefix, archive):
    """How a program can come by the library: options for its CMake."""
    return {
        "prefix": f"-Doffray_DIR={prefix / 'share' / 'cmake' / 'offray'}",
        "wheel": f"-Doffray_DIR={offray.get_cmake_dir()}",
        "source": f"-DOFFRAY_SOURCE={ROOT}",
        "fetched": f"-DOFFRAY_ARCHIVE={archive}",
    }


def configure(folder, eigen_prefix, *options):
    run("cmake", "-S", HERE, "-B", folder, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={eigen_prefix}", *options)


@pytest.mark.parametrize("target", ["offray::offray", "offray::headers"])
@pytest.mark.parametrize("way", ["prefix", "wheel", "source", "fetched"])
def test_every_way_configures(tmp_path, eigen_prefix, ways, way, target):
    """Generating the build checks that every source of the library is where the package says."""
    configure(tmp_path, eigen_prefix, ways[way], f"-DOFFRAY_TARGET={target}")


def test_a_program_compiles_in_seconds(tmp_path, eigen_prefix, ways):
    """Its own file alone: what the compiled library is for. The limits leave room for busy and slow machines."""
    configure(tmp_path, eigen_prefix, ways["wheel"], "-DOFFRAY_TARGET=offray::offray", "-DCMAKE_BUILD_TYPE=Release")
    seconds, megabytes = cost("cmake", "--build", tmp_path, "--target", "CMakeFiles/consumer.dir/main.cpp.o")
    print(f"{seconds:.1f} s, {megabytes:.0f} MB")
    assert seconds < 24
    assert megabytes < 600


def test_pkg_config(prefix):
    text = (prefix / "share" / "pkgconfig" / "offray.pc").read_text()
    assert f"Version: {offray.__version__}" in text
    assert "Requires: eigen3" in text
    assert (prefix / "include" / "offray" / "offray.hpp").exists()


@pytest.mark.slow
def test_the_compiled_library(tmp_path, eigen_prefix, ways):
    configure(tmp_path, eigen_prefix, ways["source"], "-DOFFRAY_TARGET=offray::offray")
    run("cmake", "--build", tmp_path, "--target", "consumer")
    assert "0.34 " in run(tmp_path / "consumer")


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/cpp.md"])
def test_the_examples_of_pages_with_headers_alone(tmp_path, eigen_prefix, ways, page):
    (example,) = re.findall(r"```cpp\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    main = tmp_path / "example.cpp"
    main.write_text(example)
    configure(tmp_path, eigen_prefix, ways["wheel"], "-DOFFRAY_TARGET=offray::headers", f"-DMAIN={main}")
    run("cmake", "--build", tmp_path, "--target", "consumer")
    assert "interior point" in run(tmp_path / "consumer")


@pytest.mark.slow
def test_other_alignment_is_a_link_error(tmp_path, eigen_prefix):
    """The library built for one alignment and a program for another must not link, rather than crash."""
    main = (HERE / "main.cpp").as_posix()
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.21)\nproject(other LANGUAGES CXX)\n"
        f"add_subdirectory({ROOT.as_posix()} offray)\nadd_executable(other {main})\n"
        "target_link_libraries(other PRIVATE offray::offray)\n"
        "target_compile_definitions(other PRIVATE EIGEN_MAX_ALIGN_BYTES=64)\n"
    )
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={eigen_prefix}")
    done = subprocess.run(
        ["cmake", "--build", tmp_path / "build", "--target", "other"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "undefined reference" in done.stdout
    assert "align_64" in done.stdout
