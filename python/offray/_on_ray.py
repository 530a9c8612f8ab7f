# SPDX-License-Identifier: Apache-2.0
"""The formulas of the laws on one ray, D = k N."""

FORMULA = {
    "chinchilla": "L = E + psi N^-alpha",
    "kaplan": "L = (psi / N)^alpha_N",
    "droppo_elibol": "L = [L_inf^(1/alpha) + (psi / N)^(alpha_N/alpha)]^alpha",
}
"""What is left of each law; see Definition 2 of arXiv:2605.08541."""

PSI = {
    "chinchilla": "A + B k^-alpha",
    "kaplan": "N_c + D_c / k",
    "droppo_elibol": "[N_C^r + (D_C / k)^r]^(1/r), r = alpha_N / alpha",
}
"""What psi is made of, where the two exponents are equal."""
