/** Names of the language's library that this version does not have yet: to miss one is no mistake of the user's. */
export const pendingNames: ReadonlySet<string> = new Set([
  // Constraints and projections.
  'simplex.ilr',
  'corr_matrix',
  'cov_matrix',
  'cholesky_corr',
  'cholesky_cov',
  'orthogonal',
  'weight_norm',
  'spectral_norm',
  'symmetric',
  'skew_symmetric',
  'lower_triangular',
  'l1_ball',
  'max_norm',
  // Functions, layers, metrics, averages.
  'standardize',
  'tokenize',
  'vocabulary',
  'array',
  'images',
  'permutation',
  'Ema',
])
