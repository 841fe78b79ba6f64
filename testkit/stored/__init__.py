"""People written as other programs write them: small files of the published layouts."""
