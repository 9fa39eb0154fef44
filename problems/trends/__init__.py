"""Trends: recurring clusters among the incidents of a period, found by a job and proposed as problems (PR-7)."""
