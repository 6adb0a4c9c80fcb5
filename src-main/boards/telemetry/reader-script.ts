/**
 * Reads a board once a second and prints what it found as one line, `key=value` with spaces between:
 *
 *     cpu=412 mt=8000000000 ma=5100000000 t=61500 gpu=345 mw=5200 thr=50005 disk=12345678
 *
 * cpu and gpu in thousandths, mt and ma (memory, and what of it is available) and disk (free) in bytes, t in
 * thousandths of a degree, mw in milliwatts, thr as `vcgencmd get_throttled` says it, adc (Raspberry Pi 5) as
 * `vcgencmd pmic_read_adc` does. What the board does not have is left out.
 *
 * It runs beside the training, so it starts no process that it can do without: files are read by the shell itself,
 * `sleep` is the only program of each second; `vcgencmd` runs every 5 s and `df` every 30. It ends with the first line
 * that nobody reads: when the SSH channel closes, its output does.
 *
 * It stands between single quotes on a command line of whatever login shell the user has: no single quote, no
 * backslash in it.
 */
export const READER_SCRIPT = `
LC_ALL=C; export LC_ALL
number() { case $1 in ""|*[!0-9]*) return 1;; esac; [ \${#1} -le 15 ]; }
get() { v=; { read -r v <"$1"; } 2>/dev/null; [ -n "$v" ]; }
find_sensors() {
  zones= gpu= rails= total= iio= volt=
  for z in /sys/class/thermal/thermal_zone*; do
    get "$z/type"; case $v in PMIC-Die|*-fixed*) continue;; esac
    [ -r "$z/temp" ] && zones="$zones $z/temp"
  done
  if [ -z "$zones" ]; then
    for h in /sys/class/hwmon/hwmon*; do
      get "$h/name"; case $v in coretemp|k10temp|cpu_thermal|zenpower) zones="$zones $h/temp1_input";; esac
    done
  fi
  for g in /sys/devices/gpu.0/load /sys/devices/platform/gpu.0/load /sys/devices/platform/*.gpu/load \
    /sys/devices/platform/bus@0/*.gpu/load /sys/class/devfreq/*.g*/device/load; do
    if get "$g" && number "$v"; then gpu=$g; break; fi
  done
  for l in /sys/bus/i2c/drivers/ina3221/*/hwmon/hwmon*/in[1-3]_label; do
    get "$l" || continue; n=\${l%_label}; n=\${n##*/in}
    case $v in
      VDD_IN|5V_IN|POM_5V_IN) total="\${l%/*}/$n";;
      NC|*VDDQ_VDD2_1V8AO*|*"sum of"*) ;;
      *) rails="$rails \${l%/*}/$n";;
    esac
  done
  for l in /sys/bus/i2c/drivers/ina3221x/*/iio:device*/rail_name_[0-2]; do
    get "$l" || continue; n="\${l%/*}/in_power\${l##*_}_input"
    case $v in VDD_IN|5V_IN|POM_5V_IN) total=; iio=$n; break;; NC) ;; *) iio="$iio $n";; esac
  done
  [ -z "$total" ] || rails=$total
  for h in /sys/class/hwmon/hwmon*; do get "$h/name"; [ "$v" != rpi_volt ] || volt=$h/in0_lcrit_alarm; done
}
read_cpu() {
  { read -r _ a b c d e f g h _ </proc/stat; } 2>/dev/null || return
  number "$h" || return
  busy=$((a + b + c + f + g + h)); all=$((busy + d + e))
  [ -z "$was_all" ] || [ $((all - was_all)) -le 0 ] || line="$line cpu=$((1000 * (busy - was_busy) / (all - was_all)))"
  was_busy=$busy; was_all=$all
}
read_memory() {
  while read -r k n _; do
    number "$n" || continue
    case $k in
      MemTotal:) line="$line mt=$((n * 1024))";;
      MemAvailable:) line="$line ma=$((n * 1024))"; break;;
    esac
  done </proc/meminfo
}
read_temperature() {
  top=0
  for z in $zones; do
    if get "$z" && number "$v" && [ "$v" -gt "$top" ] && [ "$v" -lt 150000 ]; then top=$v; fi
  done
  [ "$top" -le 1000 ] || line="$line t=$top"
}
read_power() {
  mw=0
  for r in $rails; do
    d=\${r%/*}; n=\${r##*/}
    get "$d/in\${n}_input" && number "$v" || continue; mv=$v
    get "$d/curr\${n}_input" && number "$v" || continue
    mw=$((mw + mv * v / 1000))
  done
  for r in $iio; do if get "$r" && number "$v"; then mw=$((mw + v)); fi; done
  [ "$mw" = 0 ] || line="$line mw=$mw"
}
ask_pi() {
  thr= adc=
  t=$(vcgencmd get_throttled 2>/dev/null) && thr=\${t#throttled=}
  [ -z "$has_adc" ] || { t=$(vcgencmd pmic_read_adc 2>/dev/null) && for w in $t; do
    case $w in current*|volt*) adc="$adc,$last:\${w#*=}";; esac; last=$w
  done; }
}
tick=0 was_all= thr= adc= has_adc= vc=
command -v vcgencmd >/dev/null 2>&1 && vcgencmd get_throttled >/dev/null 2>&1 && vc=1
[ -z "$vc" ] || { vcgencmd pmic_read_adc >/dev/null 2>&1 && has_adc=1; }
while :; do
  line=
  [ $((tick % 30)) != 0 ] || find_sensors </dev/null
  read_cpu; read_memory; read_temperature; read_power
  if [ -n "$gpu" ] && get "$gpu" && number "$v"; then line="$line gpu=$v"; fi
  if [ -n "$vc" ]; then
    [ $((tick % 5)) != 0 ] || ask_pi
    [ -z "$thr" ] || line="$line thr=$thr"
    [ -z "$adc" ] || line="$line adc=$adc"
  elif [ -n "$volt" ] && get "$volt" && number "$v"; then line="$line thr=$v"; fi
  if [ $((tick % 30)) = 0 ]; then
    t=$(df -Pk "$disk" 2>/dev/null) && for w in $t; do case $w in *%) line="$line disk=$((last * 1024))"; break;; esac; number "$w" && last=$w; done
  fi
  echo "pulse$line" || exit 0
  tick=$((tick + 1))
  sleep 1 || exit 0
done
`;
