export function addComparison() {}
