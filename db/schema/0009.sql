-- SPDX-License-Identifier: AGPL-3.0-or-later
-- 0009: carriers by TLS.

-- Whether the certificate has to be right, and whose word on it counts ('': the system's).
ALTER TABLE trunks ADD COLUMN tls_verify INTEGER NOT NULL DEFAULT 1 CHECK (tls_verify IN (0, 1));
ALTER TABLE trunks ADD COLUMN tls_ca TEXT NOT NULL DEFAULT '';
