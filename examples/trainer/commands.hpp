// SPDX-License-Identifier: Apache-2.0
/// \file
/// What the program does, one function for each command. Each returns the exit code.
#pragma once

#include "arguments.hpp"

namespace trainer {

int tune(Arguments& arguments);     ///< finds learning rates
int plan(Arguments& arguments);     ///< writes the list of the full sweep
int run(Arguments& arguments);      ///< makes the runs of a list
int suggest(Arguments& arguments);  ///< asks offray for the next runs
int sweep(Arguments& arguments);    ///< a study that plans itself: a seed set, then batches that offray chooses
int mini(Arguments& arguments);     ///< all of that in seconds, checked

}  // namespace trainer
