-- Prefect keeps its own database beside ours, and needs trigram search (package postgresql-contrib).
CREATE DATABASE prefect;
\connect prefect
CREATE EXTENSION IF NOT EXISTS pg_trgm;
