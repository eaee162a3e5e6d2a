-- A small EMS day to ask questions of: units, calls, and who was sent where. Invented, all of it.
CREATE TABLE units (
  id INTEGER PRIMARY KEY,
  callsign TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('ALS', 'BLS', 'HEMS', 'ENGINE')),
  station TEXT NOT NULL
);

CREATE TABLE calls (
  id INTEGER PRIMARY KEY,
  received_at TEXT NOT NULL,
  nature TEXT NOT NULL,
  priority INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 5),
  address TEXT NOT NULL
);

CREATE TABLE assignments (
  call_id INTEGER NOT NULL REFERENCES calls (id),
  unit_id INTEGER NOT NULL REFERENCES units (id),
  assigned_at TEXT NOT NULL,
  on_scene_at TEXT,
  PRIMARY KEY (call_id, unit_id)
);

INSERT INTO units (id, callsign, kind, station) VALUES
  (1, 'Medic 1', 'ALS', 'North'),
  (2, 'Medic 2', 'ALS', 'Harbour'),
  (3, 'Ambulance 11', 'BLS', 'North'),
  (4, 'Ambulance 12', 'BLS', 'Hill'),
  (5, 'Lifter 1', 'HEMS', 'Airfield'),
  (6, 'Engine 4', 'ENGINE', 'Harbour');

INSERT INTO calls (id, received_at, nature, priority, address) VALUES
  (101, '2026-01-31T08:02:11Z', 'chest pain', 1, '14 Mill Lane'),
  (102, '2026-01-31T08:05:40Z', 'fall, ankle', 4, 'Market Square'),
  (103, '2026-01-31T08:09:03Z', 'vehicle rollover', 1, 'Route 9, mile 31'),
  (104, '2026-01-31T08:15:27Z', 'fever, child', 3, '3 Chapel Street');

INSERT INTO assignments (call_id, unit_id, assigned_at, on_scene_at) VALUES
  (101, 1, '2026-01-31T08:02:39Z', '2026-01-31T08:08:02Z'),
  (102, 3, '2026-01-31T08:07:15Z', '2026-01-31T08:16:48Z'),
  (103, 2, '2026-01-31T08:09:25Z', '2026-01-31T08:19:30Z'),
  (103, 5, '2026-01-31T08:09:31Z', NULL),
  (103, 6, '2026-01-31T08:09:40Z', '2026-01-31T08:17:12Z');
