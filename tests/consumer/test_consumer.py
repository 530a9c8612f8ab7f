# SPDX-License-Identifier: Apache-2.0
"""A C++ program builds against the installed prefix, the wheel and the source tree; compiled and header-only."""

import re
import subprocess
import sys
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


def build_and_run(folder, eigen_prefix, *options):
    run("cmake", "-S", HERE, "-B", folder, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={eigen_prefix}", *options)
    run("cmake", "--build", folder, "--target", "consumer")
    return run(folder / "consumer")


def test_cmake_prefix(tmp_path, eigen_prefix):
    run("cmake", "-S", ROOT, "-B", tmp_path / "lib", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={eigen_prefix}")
    run("cmake", "--install", tmp_path / "lib", "--prefix", tmp_path / "prefix")
    cmake_dir = tmp_path / "prefix" / "share" / "cmake" / "offray"
    shown = build_and_run(tmp_path / "app", eigen_prefix, f"-Doffray_DIR={cmake_dir}", "-DOFFRAY_TARGET=offray::offray")
    assert "0.34 " in shown


def test_wheel_and_readme(tmp_path, eigen_prefix):
    """The README's C++ example, header-only, against the installed wheel."""
    assert (Path(offray.get_include()) / "offray" / "offray.hpp").exists()
    (example,) = re.findall(r"```cpp\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    main = tmp_path / "readme.cpp"
    main.write_text(example)
    options = (f"-Doffray_DIR={offray.get_cmake_dir()}", "-DOFFRAY_TARGET=offray::headers", f"-DMAIN={main}")
    assert "interior point" in build_and_run(tmp_path / "build", eigen_prefix, *options)


def test_add_subdirectory(tmp_path, eigen_prefix):
    options = (f"-DOFFRAY_SOURCE={ROOT}", "-DOFFRAY_TARGET=offray::offray")
    assert "0.34 " in build_and_run(tmp_path, eigen_prefix, *options)


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
